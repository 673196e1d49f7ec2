/**
 * The C library, called directly for what Node's own modules lack.
 *
 * Only this folder speaks to it. Functions here return what the call returned and
 * throw an error with the system's code (`ENOENT`, ...) when it failed, as Node's
 * `fs` does.
 */

import { constants } from 'node:os';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

const CODES = new Map<number, string>(
  Object.entries(constants.errno).map(([code, number]) => [number, code]),
);

/** Text of a failed call, with its code. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: string;
  readonly syscall: string;

  constructor(code: string, syscall: string, about: string) {
    super(`${code}: ${syscall} ${about}`);
    this.code = code;
    this.syscall = syscall;
  }
}

/** Any argument that a call of the C library takes. */
export type NativeArgument = number | bigint | Uint8Array | string | null;

export type NativeCall = (...args: readonly NativeArgument[]) => number;

/** A function of the C library, by its prototype. */
export function nativeFunction(prototype: string): NativeCall {
  return libc.func(prototype) as NativeCall;
}

/** Like `nativeFunction`, run on a thread of the pool; `done` gets the result. */
export function nativeAsync(
  prototype: string,
): (args: readonly NativeArgument[], done: (result: number) => void) => void {
  const call = libc.func(prototype);
  return (args, done) => {
    call.async(...args, (_error: unknown, result: number) => done(result));
  };
}

/**
 * Throws when `result` says that the call failed.
 *
 * @param about what the call was about, for people
 */
export function checked(result: number, syscall: string, about: () => string): number {
  if (result >= 0) return result;
  throw systemError(koffi.errno(), syscall, about());
}

/** The error for an error number that came another way than by a call's result. */
export function systemError(number: number, syscall: string, about: string): SystemError {
  return new SystemError(CODES.get(number) ?? `errno ${number}`, syscall, about);
}

/** Whether the last call failed with that code. */
export function lastErrorIs(code: keyof typeof constants.errno): boolean {
  return koffi.errno() === constants.errno[code];
}

/** A path or name as the C library wants it: bytes, closed by a zero. */
export function cString(bytes: Uint8Array): Buffer {
  const text = Buffer.allocUnsafe(bytes.length + 1);
  text.set(bytes);
  text[bytes.length] = 0;
  return text;
}
