/**
 * The messages of the store as one POP3 session sees them (RFC 1939): a numbered list
 * taken at login, marks of deletion, and their removal when the session ends with QUIT.
 *
 * Message files never change, so a list needs no lock: a message that another session
 * has removed in the meantime is answered as missing.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WireLines } from './wire-lines.ts';

export interface MaildropEntry {
  readonly name: string;
  /** Stays the same for as long as the message exists, printable, at most 70 characters. */
  readonly uid: string;
  readonly octets: number;
}

const SIZES_MAX = 50_000;
const SCANS_AT_ONCE = 8;
const UID_SHAPE = /^[\x21-\x7e]{1,70}$/;

/** Sizes on the wire by file name, kept because finding one means reading the file. */
export class MessageSizes {
  readonly #octets: Map<string, number> = new Map();

  async measure(path: string): Promise<number> {
    const known = this.#octets.get(path);
    if (known !== undefined) return known;
    const lines = new WireLines();
    for await (const chunk of createReadStream(path)) lines.push(chunk as Buffer);
    lines.finish();
    const oldest = this.#octets.keys().next();
    if (this.#octets.size >= SIZES_MAX && !oldest.done) this.#octets.delete(oldest.value);
    this.#octets.set(path, lines.octets);
    return lines.octets;
  }
}

export class Maildrop {
  readonly #directory: string;
  readonly #entries: readonly MaildropEntry[];
  readonly #deleted: Set<number> = new Set();

  private constructor(directory: string, entries: readonly MaildropEntry[]) {
    this.#directory = directory;
    this.#entries = entries;
  }

  static async open(directory: string, sizes: MessageSizes): Promise<Maildrop> {
    const found = await readdir(directory, { withFileTypes: true });
    const names = found
      .filter((entry) => entry.isFile() && entry.name.endsWith('.eml'))
      .map((entry) => entry.name)
      .sort();
    const entries: MaildropEntry[] = [];
    for (let at = 0; at < names.length; at += SCANS_AT_ONCE) {
      const batch = names.slice(at, at + SCANS_AT_ONCE);
      const listed = await Promise.all(batch.map((name) => listEntry(directory, name, sizes)));
      entries.push(...listed.filter((entry) => entry !== undefined));
    }
    return new Maildrop(directory, entries);
  }

  /** The message with a number as `LIST` shows it, unless it is deleted or never was. */
  find(number: number): MaildropEntry | undefined {
    return this.#deleted.has(number) ? undefined : this.#entries[number - 1];
  }

  /** Numbers and messages that are not marked as deleted. */
  list(): [number, MaildropEntry][] {
    return this.#entries
      .map((entry, index): [number, MaildropEntry] => [index + 1, entry])
      .filter(([number]) => !this.#deleted.has(number));
  }

  markDeleted(number: number): void {
    this.#deleted.add(number);
  }

  unmarkAll(): void {
    this.#deleted.clear();
  }

  /** Opens a message for reading; undefined when it is gone from the disk. */
  async openMessage(entry: MaildropEntry): Promise<FileHandle | undefined> {
    try {
      return await open(join(this.#directory, entry.name), 'r');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Removes what is marked and makes the removal durable. */
  async removeDeleted(): Promise<void> {
    if (this.#deleted.size === 0) return;
    for (const number of this.#deleted) {
      const entry = this.#entries[number - 1];
      if (entry !== undefined) await rm(join(this.#directory, entry.name), { force: true });
    }
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

async function listEntry(
  directory: string,
  name: string,
  sizes: MessageSizes,
): Promise<MaildropEntry | undefined> {
  try {
    return { name, uid: uidOf(name), octets: await sizes.measure(join(directory, name)) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function uidOf(name: string): string {
  const stem = name.slice(0, -'.eml'.length);
  return UID_SHAPE.test(stem) ? stem : createHash('sha256').update(name).digest('hex');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
