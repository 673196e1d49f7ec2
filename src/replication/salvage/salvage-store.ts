/**
 * What a node held that the cluster does not, kept aside (promise P3).
 *
 * Each time something is kept makes a directory of its own:
 *
 * ```
 * salvage/<epoch>-<serial>/manifest.json   what, from where, why
 * salvage/<epoch>-<serial>/files/000001    the bytes
 * ```
 *
 * A directory counts once its manifest is there; all of it is durable by then.
 */

import { createHash } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Meta } from '../command/change.ts';

/** One file that was kept. */
export interface SalvagedFile {
  readonly volume: string;
  /** Path in the volume; names that are no UTF-8 are shown with replacement characters. */
  readonly path: string;
  /** The path's bytes, base64, for a file whose name is no UTF-8. */
  readonly pathBytes?: string;
  readonly type: 'file' | 'symlink' | 'directory';
  readonly bytes: number;
  /** Of the content; empty for a directory. */
  readonly sha256: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** ms since 1970 */
  readonly mtimeMs: number;
  /** Name under `files/`; empty for a directory. */
  readonly stored: string;
  readonly reason: string;
}

export interface SalvageManifest {
  readonly id: string;
  readonly epoch: number;
  readonly node: string;
  /** ms since 1970 */
  readonly keptAtMs: number;
  readonly reason: string;
  readonly files: readonly SalvagedFile[];
}

export interface SalvageOrigin {
  readonly volume: string;
  readonly names: readonly Buffer[];
  readonly type: SalvagedFile['type'];
  readonly meta: Meta;
  readonly reason: string;
}

const MANIFEST = 'manifest.json';

export class SalvageStore {
  readonly #directory: string;
  readonly #node: string;
  /** Files that are kept; undefined when they must be counted anew. */
  #count: number | undefined;

  constructor(directory: string, node: string) {
    this.#directory = directory;
    this.#node = node;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // What has no manifest was being written when the process died; its files are
    // still in the volume, for they are touched only after it is complete.
    for (const name of readdirSync(directory)) {
      if (!this.#hasManifest(name)) rmSync(join(directory, name), { recursive: true, force: true });
    }
  }

  /** Manifests of all that is kept, oldest first; what is being kept is not there yet. */
  list(): readonly SalvageManifest[] {
    return readdirSync(this.#directory)
      .filter((name) => this.#hasManifest(name))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .map((name) => JSON.parse(readFileSync(join(this.#directory, name, MANIFEST), 'utf8')));
  }

  /** Number of files that are kept. */
  get count(): number {
    this.#count ??= this.list().reduce((sum, manifest) => sum + manifest.files.length, 0);
    return this.#count;
  }

  /** Where the bytes of a kept file are. */
  pathOf(manifest: SalvageManifest, file: SalvagedFile): string {
    return join(this.#directory, manifest.id, 'files', file.stored);
  }

  /** Begins a collection; nothing is on disk before the first file. */
  begin(epoch: number, reason: string): Salvage {
    return new Salvage(this.#directory, { epoch, node: this.#node, reason }, () => {
      this.#count = undefined;
    });
  }

  #hasManifest(name: string): boolean {
    return readdirSync(join(this.#directory, name)).includes(MANIFEST);
  }
}

/** A collection that is being made. */
export class Salvage {
  readonly #parent: string;
  readonly #about: Pick<SalvageManifest, 'epoch' | 'node' | 'reason'>;
  readonly #files: SalvagedFile[] = [];
  readonly #onFinished: () => void;
  #id: string | undefined;

  constructor(
    parent: string,
    about: Pick<SalvageManifest, 'epoch' | 'node' | 'reason'>,
    onFinished: () => void,
  ) {
    this.#parent = parent;
    this.#about = about;
    this.#onFinished = onFinished;
  }

  get files(): readonly SalvagedFile[] {
    return this.#files;
  }

  /** Keeps the content; durable when this returns. */
  add(origin: SalvageOrigin, pieces: Iterable<Uint8Array>): void {
    const directory = this.#open();
    const stored = String(this.#files.length + 1).padStart(6, '0');
    const fd = openSync(join(directory, 'files', stored), 'wx', 0o600);
    const digest = createHash('sha256');
    let bytes = 0;
    try {
      for (const piece of pieces) {
        for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
        digest.update(piece);
        bytes += piece.length;
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    this.#note(origin, { bytes, sha256: digest.digest('hex'), stored });
  }

  /** Remembers a directory that the cluster does not have; it holds no bytes of its own. */
  addDirectory(origin: SalvageOrigin): void {
    this.#open();
    this.#note(origin, { bytes: 0, sha256: '', stored: '' });
  }

  /** Gives up: what was kept so far is still where it was found. */
  discard(): void {
    if (this.#id === undefined) return;
    rmSync(join(this.#parent, this.#id), { recursive: true, force: true });
    this.#id = undefined;
    this.#files.length = 0;
  }

  /** Completes the collection, once; undefined when nothing was kept. */
  finish(): SalvageManifest | undefined {
    if (this.#id === undefined) return undefined;
    const directory = join(this.#parent, this.#id);
    const about = { id: this.#id, ...this.#about, keptAtMs: Date.now() };
    const manifest: SalvageManifest = { ...about, files: this.#files };
    const draft = join(directory, `${MANIFEST}.new`);
    writeFileSync(draft, `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600, flush: true });
    syncDirectory(join(directory, 'files'));
    renameSync(draft, join(directory, MANIFEST));
    syncDirectory(directory);
    syncDirectory(this.#parent);
    // What is complete is not given up any more.
    this.#id = undefined;
    this.#onFinished();
    return manifest;
  }

  #open(): string {
    if (this.#id === undefined) {
      const taken = new Set(readdirSync(this.#parent));
      let serial = 1;
      while (taken.has(`${this.#about.epoch}-${serial}`)) serial += 1;
      this.#id = `${this.#about.epoch}-${serial}`;
      mkdirSync(join(this.#parent, this.#id, 'files'), { recursive: true, mode: 0o700 });
    }
    return join(this.#parent, this.#id);
  }

  #note(
    { volume, names, type, meta, reason }: SalvageOrigin,
    content: Pick<SalvagedFile, 'bytes' | 'sha256' | 'stored'>,
  ): void {
    const raw = Buffer.concat(names.flatMap((name, at) => (at === 0 ? [name] : [SLASH, name])));
    const path = raw.toString('utf8');
    const isText = Buffer.from(path).equals(raw);
    const { mode, uid, gid, mtimeSeconds, mtimeNanoseconds } = meta;
    const mtimeMs = mtimeSeconds * 1000 + mtimeNanoseconds / 1e6;
    this.#files.push({
      volume,
      path,
      ...(isText ? {} : { pathBytes: raw.toString('base64') }),
      type,
      ...content,
      mode,
      uid,
      gid,
      mtimeMs,
      reason,
    });
  }
}

const SLASH = Buffer.from('/');

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
