/**
 * What the log did between the position that a node's files are at and the position
 * they are to be brought to: which names it touched, which contents it had, and
 * where their bytes lie in the journal.
 */

import type { Slot } from '../apply/drift.ts';
import type { Change, FileId } from '../command/change.ts';
import type { Effect, FileIndex } from '../index/file-index.ts';

export class Window {
  readonly #slots = new Map<string, Slot>();
  /** Contents that the log has had since, by themselves and with their paths, there still or not. */
  readonly #contents = new Set<string>();
  /** Journal index of the entry that holds a chunk. */
  readonly #chunks = new Map<string, number>();
  readonly #suspects = new Set<string>();
  #isAllSuspect = false;
  /** Names that directories have had since. */
  readonly #directories = new Set<string>();

  get slots(): readonly Slot[] {
    return [...this.#slots.values()];
  }

  /** The bytes of a chunk lie in that entry of the journal, before the window. */
  noteChunk(hash: string, entryIndex: number): void {
    this.#chunks.set(hash, entryIndex);
  }

  /** Takes a change into the index, without touching the disk. */
  advance(index: FileIndex, change: Change, entryIndex: number): void {
    if (change.kind === 'chunk') {
      this.#chunks.set(change.hash.toString('hex'), entryIndex);
      return;
    }
    const effect = index.apply(change);
    this.#note(effect);
    this.#noteContent(index, effect);
    if (change.kind !== 'put' || change.data === undefined) return;
    for (const { hash } of change.chunks) this.#chunks.set(hash.toString('hex'), entryIndex);
  }

  /**
   * Remembers a change that the index has taken in already, but that a loss of power may
   * have taken from the disk again (safety rule 21).
   */
  suspect(index: FileIndex, change: Change, entryIndex: number): void {
    if (change.kind === 'chunk') {
      this.#chunks.set(change.hash.toString('hex'), entryIndex);
      return;
    }
    this.#suspects.add(`${change.volume}/${change.id}`);
    const record = index.find(change.volume, change.id);
    if (record !== undefined) this.addSlot({ volume: change.volume, ...record });
    if ('name' in change) this.addSlot(change);
    if (change.kind !== 'put' || change.data === undefined) return;
    for (const { hash } of change.chunks) this.#chunks.set(hash.toString('hex'), entryIndex);
  }

  /** Nothing tells which changes those are: looks prove nothing at all. */
  suspectAll(): void {
    this.#isAllSuspect = true;
  }

  addSlot({ volume, parent, name }: Slot): void {
    this.#slots.set(`${volume}/${parent}/${name.toString('latin1')}`, { volume, parent, name });
  }

  /** Whether looks prove nothing for the node. */
  isSuspect(volume: number, id: FileId): boolean {
    return this.#isAllSuspect || this.#suspects.has(`${volume}/${id}`);
  }

  /** Whether the log has had that content, wherever. */
  hadContent(content: Buffer): boolean {
    return this.#contents.has(content.toString('hex'));
  }

  /** Whether the log has had that content under that path. */
  hadContentAt(volume: number, names: readonly Buffer[], content: Buffer): boolean {
    return this.#contents.has(contentKey(volume, names, content));
  }

  /** Whether the log has had a directory of that name. */
  hasDirectory(name: Buffer): boolean {
    return this.#directories.has(name.toString('latin1'));
  }

  /** The journal index of the entry that holds the chunk. */
  entryOf(hash: Buffer): number | undefined {
    return this.#chunks.get(hash.toString('hex'));
  }

  /** Contents count with their paths: the same bytes under another name are another file. */
  #noteContent(index: FileIndex, { volume, after }: Effect): void {
    if (after === undefined || after.type === 'directory') return;
    const names = [...index.pathOf(volume, after.parent), after.name];
    const content = after.type === 'file' ? after.content : after.target;
    this.#contents.add(content.toString('hex'));
    this.#contents.add(contentKey(volume, names, content));
  }

  #note({ volume, before, after, replaced }: Effect): void {
    for (const record of [before, after, replaced?.record]) {
      if (record === undefined) continue;
      this.addSlot({ volume, ...record });
      if (record.type === 'directory') this.#directories.add(record.name.toString('latin1'));
    }
  }
}

function contentKey(volume: number, names: readonly Buffer[], content: Buffer): string {
  const path = names.map((name) => name.toString('latin1')).join('/');
  return `${volume}/${path}\0${content.toString('latin1')}`;
}
