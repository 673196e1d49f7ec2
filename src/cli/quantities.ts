/** Numbers as people read them. */

const BYTE_UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1,204`. */
export function countText(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 file`, `1,204 files`. */
export function countOf(count: number, one: string, many: string = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** `3.2 MiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let scaled = bytes / 1024;
  let unit = 0;
  while (scaled >= 1023.95 && unit < BYTE_UNITS.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${scaled.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** `80 ms`, `4.2 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 995) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return twoUnits(seconds, [60, 'min'], [1, 's']);
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return twoUnits(minutes, [60, 'h'], [1, 'min']);
  return twoUnits(Math.round(minutes / 60), [24, 'd'], [1, 'h']);
}

type Unit = readonly [size: number, name: string];

function twoUnits(value: number, [size, large]: Unit, [, small]: Unit): string {
  const rest = value % size;
  const head = `${Math.floor(value / size)} ${large}`;
  return rest === 0 ? head : `${head} ${rest} ${small}`;
}
