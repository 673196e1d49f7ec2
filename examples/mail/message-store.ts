/**
 * Messages as files, one each: written to `tmp/`, made durable, renamed into `new/`.
 *
 * What stands in `new/` is complete and never changes. `receive` resolves only after
 * the file, its name and its directory are on the disk, so the caller may promise the
 * message to the sender. A message that could not be stored leaves nothing behind.
 */

import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Why a message was not stored, as the SMTP answer that says so. */
export class MessageRefused extends Error {
  /** Read by the SMTP server for the answer's code. */
  readonly responseCode: number;

  constructor(responseCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.responseCode = responseCode;
  }
}

/** Codes of a disk, a quota or a file that can take no more. */
const NO_SPACE_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

export interface MessageStoreOptions {
  /** Directory that holds `tmp/` and `new/`; both are made when missing. */
  readonly root: string;
  /** Tells this machine's file names from those of the others. */
  readonly name: string;
  readonly messageBytesMax: number;
}

export class MessageStore {
  readonly #options: MessageStoreOptions;
  /** A restart may get the same pid within the same millisecond; this tells the two apart. */
  readonly #run: string = randomBytes(4).toString('hex');
  #count = 0;

  private constructor(options: MessageStoreOptions) {
    this.#options = options;
  }

  /** Makes the directories and removes what an earlier run was still receiving. */
  static async open(options: MessageStoreOptions): Promise<MessageStore> {
    const store = new MessageStore(options);
    await mkdir(store.#staging, { recursive: true });
    await mkdir(store.directory, { recursive: true });
    for (const name of await readdir(store.#staging)) {
      await rm(join(store.#staging, name), { recursive: true, force: true });
    }
    return store;
  }

  /** Where complete messages stand. */
  get directory(): string {
    return join(this.#options.root, 'new');
  }

  get #staging(): string {
    return join(this.#options.root, 'tmp');
  }

  /**
   * Stores what `chunks` yields and returns the file's name in `directory`.
   * It reads to the end even when the store has failed, since the sender hears an
   * answer only after its last byte. Throws `MessageRefused`, or what `chunks` threw.
   */
  async receive(chunks: AsyncIterable<Buffer>): Promise<string> {
    this.#count += 1;
    const unique = `${Date.now()}.${process.pid}_${this.#run}_${this.#count}.${this.#options.name}`;
    const staged = join(this.#staging, unique);
    const final = `${unique}.eml`;
    try {
      await this.#stage(staged, chunks);
      await this.#publish(staged, join(this.directory, final));
      return final;
    } catch (error) {
      await rm(staged, { force: true }).catch(logFailedRemoval);
      throw error;
    }
  }

  async #stage(path: string, chunks: AsyncIterable<Buffer>): Promise<void> {
    let file: FileHandle | undefined;
    let refusal: MessageRefused | undefined;
    let bytes = 0;
    try {
      file = await open(path, 'wx', 0o600).catch((error: unknown) => {
        refusal = refusalOf(error);
        return undefined;
      });
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > this.#options.messageBytesMax) refusal ??= tooBig();
        if (refusal === undefined) {
          await file?.appendFile(chunk).catch((error: unknown) => {
            refusal = refusalOf(error);
          });
        }
      }
      if (refusal === undefined) await file?.sync();
    } catch (error) {
      refusal ??= refusalOf(error);
    } finally {
      await file?.close();
    }
    if (refusal !== undefined) throw refusal;
  }

  /** Gives the message its final name; takes it back when that could not be made durable. */
  async #publish(staged: string, path: string): Promise<void> {
    try {
      await rename(staged, path);
      const directory = await open(this.directory, 'r');
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    } catch (error) {
      await rm(path, { force: true }).catch(logFailedRemoval);
      throw refusalOf(error);
    }
  }
}

function tooBig(): MessageRefused {
  return new MessageRefused(552, '5.3.4 message too big');
}

function refusalOf(error: unknown): MessageRefused {
  if (error instanceof MessageRefused) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return NO_SPACE_CODES.has(code)
    ? new MessageRefused(452, `4.3.1 no space for the message (${code})`, { cause: error })
    : new MessageRefused(451, `4.3.0 message not stored (${code})`, { cause: error });
}

/** The sender hears of the failure that led here; this second one is for the operator. */
function logFailedRemoval(error: unknown): void {
  process.stderr.write(`could not remove an unfinished message: ${String(error)}\n`);
}
