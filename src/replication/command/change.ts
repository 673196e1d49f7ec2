/**
 * One operation in the file-change log (architecture.md, "One log").
 *
 * Every change names the identity of what it acts on and carries the whole
 * resulting state, so that after a crash it need not be executed again: the paths it
 * names are reconciled to what the index says (safety rule 11).
 *
 * An identity (`FileId`) is a number that the primary gives when a file or directory
 * comes into being, one above the highest that the log has seen in the volume; the
 * volume's root is 0. Names are bytes.
 */

/** Identity of a file, directory or symbolic link within its volume. */
export type FileId = number;

export const ROOT_ID: FileId = 0;

/** Permission bits, owner and modification time. */
export interface Meta {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
}

/** A piece of content: its SHA-256 and its length in bytes. */
export interface ChunkRef {
  readonly hash: Buffer;
  readonly bytes: number;
}

interface Placed {
  readonly volume: number;
  readonly id: FileId;
  /** Identity of the directory it is in. */
  readonly parent: FileId;
  readonly name: Buffer;
}

/**
 * A file with its whole content. Either `data` holds it, or its chunks came before,
 * in `chunk` changes. Content shorter than a chunk is always inline.
 */
export interface PutChange extends Placed {
  readonly kind: 'put';
  readonly meta: Meta;
  readonly chunks: readonly ChunkRef[];
  readonly data: Buffer | undefined;
  /** The file never held still while it was read: what is here is a mix of moments. */
  readonly fuzzy: boolean;
}

export interface MakeDirectoryChange extends Placed {
  readonly kind: 'mkdir';
  readonly meta: Meta;
}

export interface SymlinkChange extends Placed {
  readonly kind: 'symlink';
  readonly meta: Meta;
  readonly target: Buffer;
}

/** Moves what has the identity; whatever has the new name is gone. */
export interface RenameChange extends Placed {
  readonly kind: 'rename';
}

/** Removes a file, a link, or a directory that is empty by now. */
export interface RemoveChange {
  readonly kind: 'remove';
  readonly volume: number;
  readonly id: FileId;
}

export interface SetMetaChange {
  readonly kind: 'setmeta';
  readonly volume: number;
  readonly id: FileId;
  readonly meta: Meta;
}

/** A piece of the content of a file whose `put` follows. */
export interface ChunkChange {
  readonly kind: 'chunk';
  readonly hash: Buffer;
  readonly data: Buffer;
}

/** What acts on a file, directory or link of a volume. */
export type FileChange =
  | PutChange
  | MakeDirectoryChange
  | SymlinkChange
  | RenameChange
  | RemoveChange
  | SetMetaChange;

export type Change = FileChange | ChunkChange;

export function sameMeta(a: Meta, b: Meta): boolean {
  return (
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.mtimeSeconds === b.mtimeSeconds &&
    a.mtimeNanoseconds === b.mtimeNanoseconds
  );
}

/** Bytes of the content that the chunks make up. */
export function contentBytes(chunks: readonly ChunkRef[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
}
