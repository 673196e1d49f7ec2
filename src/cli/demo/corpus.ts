/**
 * Real mail to send: messages composed from real files, as many as are asked for.
 *
 * Message `n` depends on the seed, on `n` and on the installed files alone, so a run can
 * be repeated and messages can be made in any order. Nothing is kept: a message exists
 * while its sender holds it. Sizes are like those of a mailbox: the middle at some
 * 20-30 KiB, most between 1 and 200 KiB, one in a hundred between 1 and 5 MB.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import MailComposer, { type MailComposerAttachment } from 'nodemailer/lib/mail-composer';
import { assert } from '../../errors.ts';
import { findSourceFiles, type SourceFile, type SourceFiles } from './corpus-files.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Every so many-th message is one of the test suite's. */
const TEST_MAIL_EVERY = 8;
/** Of every so many messages one is large and three are of middle size. */
const BLOCK = 12 * TEST_MAIL_EVERY;
const MIDDLE_PER_BLOCK = 3;

const MEDIAN_BYTES = 26 * KIB;
const SPREAD = 1.1;
const SMALL_BYTES_MIN = KIB;
const SMALL_BYTES_MAX = 200 * KIB;
const BODY_BYTES_MAX = 12 * KIB;
const ATTACHMENTS_MAX = 16;
const PICTURE_SHARE = 0.15;
/** Base64 in lines: 78 characters carry 57 bytes. */
const ENCODING_FACTOR = 78 / 57;
const FIRST_DATE_MS = Date.UTC(2024, 0, 1);
const MINUTE_MS = 60_000;

/** Draws numbers from 0 to below 1; the same key gives the same numbers. */
type Random = () => number;

export class MailCorpus {
  readonly #seed: number;
  readonly #files: SourceFiles;

  private constructor(seed: number, files: SourceFiles) {
    this.#seed = seed;
    this.#files = files;
  }

  static async open(seed: number): Promise<MailCorpus> {
    const files = await findSourceFiles();
    assert(files.documents.length > 0, 'installed packages hold documents');
    return new MailCorpus(seed, files);
  }

  /** How many e-mail files of the test suite are at hand: 0 where it is not installed. */
  get testMailCount(): number {
    return this.#files.mails.length + this.#files.mailParts.length;
  }

  /** Message `index`, with CRLF line ends and a last line that is ended. */
  async message(index: number): Promise<Buffer> {
    const random = randomOf(`${this.#seed}/${index}`);
    const place = index % TEST_MAIL_EVERY;
    if (place === TEST_MAIL_EVERY - 1 && this.testMailCount > 0) {
      return this.#testMail(Math.floor(index / TEST_MAIL_EVERY) % this.testMailCount, index);
    }
    return this.#compose(index, this.#targetBytes(index, random), random);
  }

  async #testMail(number: number, index: number): Promise<Buffer> {
    const { mails, mailParts } = this.#files;
    const mail = mails[number];
    if (mail !== undefined) return toWireLines(await readFile(mail.path));
    const part = mailParts[number - mails.length];
    assert(part !== undefined, 'the number of a test mail is below their count');
    return compose(index, { subject: basename(part.path), text: part.path }, [
      await attachmentOf(part),
    ]);
  }

  /** How large message `index` is to be, about. */
  #targetBytes(index: number, random: Random): number {
    const places = placesOfBlock(`${this.#seed}/block/${Math.floor(index / BLOCK)}`);
    const place = places.indexOf(index % BLOCK);
    if (place === 0) return MIB + random() * 3.5 * MIB;
    if (place > 0) return SMALL_BYTES_MAX + random() * (MIB - SMALL_BYTES_MAX);
    const drawn = MEDIAN_BYTES * Math.exp(SPREAD * drawNormal(random));
    return Math.min(SMALL_BYTES_MAX, Math.max(SMALL_BYTES_MIN, drawn));
  }

  async #compose(index: number, targetBytes: number, random: Random): Promise<Buffer> {
    const document = pick(this.#files.documents, random);
    const bodyBytes = Math.min(targetBytes, BODY_BYTES_MAX) * (0.2 + 0.6 * random());
    const text = (await readFile(document.path, 'utf8')).slice(0, bodyBytes);
    const subject = text.split('\n').find((line) => /\w{3}/.test(line)) ?? basename(document.path);
    const attachments: MailComposerAttachment[] = [];
    let bytesLeft = targetBytes - text.length;
    if (this.#files.pictures.length > 0 && random() < PICTURE_SHARE) {
      const picture = pick(this.#files.pictures, random);
      attachments.push(await attachmentOf(picture));
      bytesLeft -= picture.bytes * ENCODING_FACTOR;
    }
    while (attachments.length < ATTACHMENTS_MAX) {
      const file = this.#fileUpTo(bytesLeft / ENCODING_FACTOR, random);
      if (file === undefined) break;
      attachments.push(await attachmentOf(file));
      bytesLeft -= file.bytes * ENCODING_FACTOR;
    }
    return compose(index, { subject: subject.trim().slice(0, 100), text }, attachments);
  }

  /** One of the files nearest below a size; undefined when none is small enough. */
  #fileUpTo(bytes: number, random: Random): SourceFile | undefined {
    const { attachments } = this.#files;
    let low = 0;
    let high = attachments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((attachments[middle]?.bytes ?? 0) <= bytes) low = middle + 1;
      else high = middle;
    }
    const nearest = Math.max(1, Math.ceil(low / 20));
    return attachments[low - 1 - Math.floor(random() * nearest)];
  }
}

/** Puts the line before a message that makes it unlike every other. */
export function stampMessage(id: string, message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`X-Mailraft-Id: ${id}\r\n`), message]);
}

/** Any bytes as lines that SMTP can carry; what is within a line stays as it is. */
export function toWireLines(bytes: Buffer): Buffer {
  const lines = bytes.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n');
  return Buffer.from(lines.endsWith('\r\n') ? lines : `${lines}\r\n`, 'latin1');
}

async function compose(
  index: number,
  content: { readonly subject: string; readonly text: string },
  attachments: MailComposerAttachment[],
): Promise<Buffer> {
  const mail = new MailComposer({
    from: `Sender ${index % 17} <sender${index % 17}@example.com>`,
    to: `Reader ${index % 5} <reader${index % 5}@example.org>`,
    subject: content.subject,
    text: content.text,
    attachments,
    // Left to itself the composer draws these three anew each time.
    messageId: `<${index}@example.com>`,
    date: new Date(FIRST_DATE_MS + index * MINUTE_MS),
    baseBoundary: `part-of-${index}`,
    newline: 'win',
    disableUrlAccess: true,
    disableFileAccess: true,
  });
  return toWireLines(await mail.compile().build());
}

async function attachmentOf(file: SourceFile): Promise<MailComposerAttachment> {
  return { filename: basename(file.path), content: await readFile(file.path) };
}

/** Where in a block the large message stands, then those of middle size. */
function placesOfBlock(key: string): number[] {
  const random = randomOf(key);
  const places = new Set<number>();
  while (places.size <= MIDDLE_PER_BLOCK) {
    const place = Math.floor(random() * BLOCK);
    if (place % TEST_MAIL_EVERY !== TEST_MAIL_EVERY - 1) places.add(place);
  }
  return [...places];
}

function pick<T>(items: readonly T[], random: Random): T {
  const item = items[Math.floor(random() * items.length)];
  assert(item !== undefined, 'there is something to pick from');
  return item;
}

/** Box and Muller's way from two even draws to one of the normal distribution. */
function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Mulberry32, begun from a hash of the key. */
function randomOf(key: string): Random {
  let state = createHash('sha256').update(key).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
