/** The two lines of /proc that tell whether a process is the service, and whether it runs. */

const CLOSING_BRACKET = 0x29;
/** Programs that start another one and wait for it. */
const LAUNCHERS: ReadonlySet<string> = new Set([
  ...['unshare', 'nsenter', 'setpriv', 'env', 'setsid', 'timeout', 'chrt', 'nice'],
]);

/** What a line of /proc/PID/stat says. */
export interface ProcessState {
  readonly runs: boolean;
  /** In clock ticks since boot; with the pid it names a process for good. */
  readonly startedAt: string;
}

/**
 * Whether the program that runs is one of `markers`: they are looked for in the
 * program's own name and in the first argument that is no option, which is the
 * script of an interpreter. What merely has the service among its arguments is
 * not the service, and neither is a launcher that stays until its program ends:
 * it would seem to run while the service is stopped or dead.
 */
export function isService(
  commandLine: Buffer,
  length: number,
  markers: readonly Buffer[],
): boolean {
  const line = commandLine.subarray(0, length);
  if (!markers.some((marker) => line.includes(marker))) return false;
  const [program = '', ...rest] = line.toString('latin1').split('\0');
  if (LAUNCHERS.has(program.slice(program.lastIndexOf('/') + 1))) return false;
  const script = rest.find((argument) => !argument.startsWith('-')) ?? '';
  return markers.some((marker) => {
    const text = marker.toString('latin1');
    return program.includes(text) || script.includes(text);
  });
}

/** Reads a line of /proc/PID/stat; undefined when it is none. */
export function parseState(stat: Buffer, length: number): ProcessState | undefined {
  const line = stat.subarray(0, length);
  // The name in brackets may itself hold brackets and blanks.
  const end = line.lastIndexOf(CLOSING_BRACKET);
  if (end <= 0) return undefined;
  const fields = line.toString('latin1', end + 2).split(' ');
  const [state, threads, startedAt] = [fields[0], Number(fields[17]), fields[19]];
  if (state === undefined || startedAt === undefined) return undefined;
  return { runs: counts(state, threads), startedAt };
}

function counts(state: string, threads: number): boolean {
  // A zombie whose other threads live on is a process that lost only its first thread.
  if (state === 'Z') return threads > 1;
  return !['X', 'x', 'T', 't'].includes(state);
}
