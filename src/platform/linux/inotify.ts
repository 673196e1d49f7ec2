/**
 * inotify(7): what happens to the files of watched directories, as it happens.
 *
 * Called directly, because libuv drops the event that says the queue overflowed:
 * with `fs.watch` a lost event would be a lost change.
 */

import { closeSync, readSync } from 'node:fs';
import { MailraftError, systemCode } from '../../errors.ts';
import { checked, cString, lastErrorIs, nativeAsync, nativeFunction } from './libc.ts';

const initCall = nativeFunction('int inotify_init1(int flags)');
const addCall = nativeFunction('int inotify_add_watch(int fd, const uint8_t *path, uint32_t mask)');
const removeCall = nativeFunction('int inotify_rm_watch(int fd, int watch)');
const pollAsync = nativeAsync('int poll(uint8_t *fds, unsigned long count, int timeoutMs)');

const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;
const POLLIN = 1;
const HEADER_BYTES = 16;

export const EVENT = {
  modify: 0x2,
  attributes: 0x4,
  closeWrite: 0x8,
  movedFrom: 0x40,
  movedTo: 0x80,
  create: 0x100,
  delete: 0x200,
  deleteSelf: 0x400,
  unmount: 0x2000,
  overflow: 0x4000,
  ignored: 0x8000,
  onlyDirectory: 0x0100_0000,
  excludeUnlinked: 0x0400_0000,
  isDirectory: 0x4000_0000,
} as const;

const WATCHED =
  EVENT.modify |
  EVENT.attributes |
  EVENT.closeWrite |
  EVENT.movedFrom |
  EVENT.movedTo |
  EVENT.create |
  EVENT.delete |
  EVENT.deleteSelf |
  EVENT.onlyDirectory |
  EVENT.excludeUnlinked;

export interface InotifyEvent {
  /** Which watch it belongs to; -1 for an overflow. */
  readonly watch: number;
  readonly mask: number;
  /** The same for the two halves of a rename. */
  readonly cookie: number;
  /** Name inside the watched directory; empty for the directory itself. */
  readonly name: Buffer;
}

export class Inotify {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafe(256 * 1024);
  /** Lives as long as this object: another thread writes to it while it polls. */
  readonly #poll = Buffer.alloc(8);
  #isClosed = false;
  #isPolling = false;

  constructor() {
    this.#fd = checked(initCall(IN_NONBLOCK | IN_CLOEXEC), 'inotify_init1', () => '');
  }

  /** Watches an open directory; the same watch is returned for the same directory. */
  watch(directoryFd: number): number {
    // The path of a descriptor leads to the directory itself, wherever it is by now.
    const path = cString(Buffer.from(`/proc/self/fd/${directoryFd}`));
    const watch = addCall(this.#fd, path, WATCHED);
    if (watch < 0 && lastErrorIs('ENOSPC')) {
      const text = 'the system watches no more directories: raise fs.inotify.max_user_watches';
      throw new MailraftError('OVERLOADED', text);
    }
    return checked(watch, 'inotify_add_watch', () => `${directoryFd}`);
  }

  unwatch(watch: number): void {
    removeCall(this.#fd, watch);
  }

  /** All events that are there now, in order. */
  read(): readonly InotifyEvent[] {
    const events: InotifyEvent[] = [];
    for (;;) {
      const bytes = this.#readSome();
      if (bytes === 0) return events;
      for (let offset = 0; offset < bytes; ) {
        const length = this.#buffer.readUInt32LE(offset + 12);
        events.push(this.#eventAt(offset, length));
        offset += HEADER_BYTES + length;
      }
    }
  }

  /** Calls `onReadable` once when events are there; looks up now and then to end when closed. */
  wait(onReadable: () => void): void {
    if (this.#isClosed || this.#isPolling) return;
    this.#isPolling = true;
    this.#poll.writeInt32LE(this.#fd, 0);
    this.#poll.writeInt16LE(POLLIN, 4);
    // A poll without a time limit could never be ended from outside.
    pollAsync([this.#poll, 1, POLL_MS], (ready) => {
      this.#isPolling = false;
      if (this.#isClosed) closeSync(this.#fd);
      else if (ready > 0) onReadable();
      else this.wait(onReadable);
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isPolling) closeSync(this.#fd);
  }

  #readSome(): number {
    try {
      return readSync(this.#fd, this.#buffer);
    } catch (error) {
      if (systemCode(error) === 'EAGAIN') return 0;
      throw error;
    }
  }

  #eventAt(offset: number, length: number): InotifyEvent {
    const start = offset + HEADER_BYTES;
    const padded = this.#buffer.subarray(start, start + length);
    const end = padded.indexOf(0);
    return {
      watch: this.#buffer.readInt32LE(offset),
      mask: this.#buffer.readUInt32LE(offset + 4),
      cookie: this.#buffer.readUInt32LE(offset + 8),
      name: Buffer.from(end < 0 ? padded : padded.subarray(0, end)),
    };
  }
}

const POLL_MS = 200;
