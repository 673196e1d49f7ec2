/** A client of a cluster as thin as can be: one connection, no retries, no promises. */

/** Called once: without an error the write is committed. */
export type Done = (error?: Error) => void;

export interface KeyValue {
  readonly key: string;
  readonly value: Buffer;
}

export interface WriteClient {
  put(key: string, value: Buffer, done: Done): void;
  /** Keys after `after` in their order, with values; at most so many, none at the end. */
  list(after: string, countMax: number): Promise<readonly KeyValue[]>;
  /** Whether the member at the other end leads. */
  leads(): Promise<boolean>;
  close(): void;
}

/** What is written under a key, so that whoever reads it can tell. */
export function valueFor(key: string, bytes: number): Buffer {
  return Buffer.alloc(bytes, `${key};`);
}
