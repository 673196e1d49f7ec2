/**
 * The calls of the C library that the observer makes itself.
 *
 * Node has no raw sockets, and its own file calls allocate; these write into
 * buffers that are made once. Each returns -1 on failure, with `errorNumber`.
 */

import koffi from 'koffi';

const library = koffi.load('libc.so.6');

/** One instruction of a classic socket filter. */
export interface FilterInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const instruction = koffi.struct({ code: 'uint16', jt: 'uint8', jf: 'uint8', k: 'uint32' });
const filterProgram = koffi.struct({ len: 'uint16', filter: koffi.pointer(instruction) });

export const openSocket = library.func('int socket(int, int, int)') as (
  domain: number,
  type: number,
  protocol: number,
) => number;

export const bindSocket = library.func('int bind(int, const void *, uint32_t)') as (
  fd: number,
  address: Buffer,
  length: number,
) => number;

export const setOption = library.func('int setsockopt(int, int, int, const void *, uint32_t)') as (
  fd: number,
  level: number,
  name: number,
  value: Buffer,
  length: number,
) => number;

const setFilterOption = library.func('setsockopt', 'int', [
  ...['int', 'int', 'int'],
  koffi.pointer(filterProgram),
  'uint32_t',
]) as (fd: number, level: number, name: number, value: object, length: number) => number;

export const getOption = library.func('int getsockopt(int, int, int, void *, void *)') as (
  fd: number,
  level: number,
  name: number,
  value: Buffer,
  length: Buffer,
) => number;

export const sendTo = library.func(
  'int64_t sendto(int, const void *, size_t, int, const void *, uint32_t)',
) as (
  fd: number,
  frame: Buffer,
  length: number,
  flags: number,
  address: Buffer,
  addressLength: number,
) => number;

export const receiveFrom = library.func(
  'int64_t recvfrom(int, void *, size_t, int, void *, void *)',
) as (
  fd: number,
  frame: Buffer,
  length: number,
  flags: number,
  address: Buffer,
  addressLength: Buffer,
) => number;

export const waitForEvents = library.func('int poll(void *, unsigned long, int)') as (
  descriptors: Buffer,
  count: number,
  timeoutMs: number,
) => number;

export const openAt = library.func('int openat(int, const char *, int)') as (
  directory: number,
  path: string,
  flags: number,
) => number;

export const readInto = library.func('int64_t read(int, void *, size_t)') as (
  fd: number,
  buffer: Buffer,
  length: number,
) => number;

export const seek = library.func('int64_t lseek(int, int64_t, int)') as (
  fd: number,
  offset: number,
  whence: number,
) => number;

export const readDirectory = library.func('int64_t getdents64(int, void *, size_t)') as (
  fd: number,
  buffer: Buffer,
  length: number,
) => number;

export const closeDescriptor = library.func('int close(int)') as (fd: number) => number;

export const interfaceIndex = library.func('uint32_t if_nametoindex(const char *)') as (
  name: string,
) => number;

/** Writes the name into `name` (16 bytes); null when there is no such interface. */
export const interfaceName = library.func('void *if_indextoname(uint32_t, void *)') as (
  index: number,
  name: Buffer,
) => unknown;

export const setScheduler = library.func('int sched_setscheduler(int, int, const void *)') as (
  pid: number,
  policy: number,
  parameters: Buffer,
) => number;

const systemCall = library.func('long syscall(long, int, const void *, unsigned int)') as (
  number: number,
  pid: number,
  attributes: Buffer,
  flags: number,
) => number;

/** The number of sched_setattr, for which older C libraries have no function. */
const SCHED_SETATTR: Readonly<Record<string, number>> = { x64: 314, arm64: 274 };

/** Sets the scheduling attributes of the calling thread; false when that may not be. */
export function schedulingCall(attributes: Buffer): boolean {
  const number = SCHED_SETATTR[process.arch];
  return number !== undefined && systemCall(number, 0, attributes, 0) === 0;
}

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** Lets through to the socket only what `program` accepts. */
export function attachFilter(fd: number, program: readonly FilterInstruction[]): number {
  const value = { len: program.length, filter: program };
  return setFilterOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, value, koffi.sizeof(filterProgram));
}

/** The error of the last call that failed. */
export function errorNumber(): number {
  return koffi.errno();
}
