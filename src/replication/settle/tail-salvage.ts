/**
 * Keeps what was captured and proposed here, and then replaced by a new leader's log.
 *
 * The disk may hold a later version of the same file, or none: the tail is then the
 * only place where this one is left.
 */

import type { Change, ChunkRef, FileId, PutChange } from '../command/change.ts';
import { ROOT_ID } from '../command/change.ts';
import { decodeCommand } from '../command/codec.ts';
import type { FileIndex } from '../index/file-index.ts';
import { contentHash, sha256 } from '../index/records.ts';
import type { Salvage } from '../salvage/salvage-store.ts';
import type { VolumeTree } from '../volume/volume-tree.ts';

export interface TailParts {
  readonly index: FileIndex;
  readonly trees: readonly VolumeTree[];
  readonly salvage: Salvage;
  readonly commands: readonly Buffer[];
}

const REASON = 'proposed here, and not in the log that won';

/** @param survives whether the cluster has the content, at that path or anywhere that counts */
export function salvageTail(
  { index, trees, salvage, commands }: TailParts,
  survives: (content: Buffer, names: readonly Buffer[]) => boolean,
): void {
  const chunks = new Map<string, Buffer>();
  const made = new Map<string, { readonly parent: FileId; readonly name: Buffer }>();
  for (const change of commands.flatMap(changesOf)) {
    if (change.kind === 'chunk') chunks.set(change.hash.toString('hex'), change.data);
    if (change.kind === 'mkdir') made.set(`${change.volume}/${change.id}`, change);
    if (change.kind !== 'put') continue;
    const tree = trees.find(({ number }) => number === change.volume);
    const pieces = piecesOf(change, chunks);
    const names = pathOf(index, made, change);
    if (tree === undefined || pieces === undefined) continue;
    if (survives(contentHash(change.chunks), names)) continue;
    const sha = sha256(Buffer.concat(pieces)).toString('hex');
    // What the disk still has was kept already.
    if (salvage.files.some((file) => file.sha256 === sha)) continue;
    const { meta } = change;
    salvage.add({ volume: tree.name, names, type: 'file', meta, reason: REASON }, pieces);
  }
}

function changesOf(data: Buffer): readonly Change[] {
  const command = decodeCommand(data);
  return command.kind === 'changes' ? command.changes : [];
}

function piecesOf(change: PutChange, chunks: ReadonlyMap<string, Buffer>): Buffer[] | undefined {
  if (change.data !== undefined) return [change.data];
  const find = ({ hash }: ChunkRef) => chunks.get(hash.toString('hex'));
  const pieces = change.chunks.map(find).filter((piece) => piece !== undefined);
  return pieces.length === change.chunks.length ? pieces : undefined;
}

/** The path that the file had, as far as its directories are known. */
function pathOf(
  index: FileIndex,
  made: ReadonlyMap<string, { readonly parent: FileId; readonly name: Buffer }>,
  change: PutChange,
): Buffer[] {
  const names = [change.name];
  let at = change.parent;
  while (at !== ROOT_ID) {
    const directory = made.get(`${change.volume}/${at}`) ?? index.find(change.volume, at);
    if (directory === undefined) break;
    names.unshift(directory.name);
    at = directory.parent;
  }
  return names;
}
