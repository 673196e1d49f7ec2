/** Bytes in double quotes, as Go's `%q` prints them. */

const SHORT: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** What is printed as it is: ASCII's space, and everything that is seen. */
const SEEN = /^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$/u;

const REPLACEMENT = 0xfffd;

export function quoted(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const { point, length } = pointAt(bytes, at);
    text += point === undefined ? `\\x${hex(bytes[at] as number, 2)}` : escaped(point);
    at += length;
  }
  return `"${text}"`;
}

function escaped(point: number): string {
  const short = SHORT[point];
  if (short !== undefined) return short;
  const char = String.fromCodePoint(point);
  if (SEEN.test(char)) return char;
  if (point < 0x20 || point === 0x7f) return `\\x${hex(point, 2)}`;
  return point > 0xffff ? `\\U${hex(point, 8)}` : `\\u${hex(point, 4)}`;
}

/** The code point that begins at `at`; undefined for a byte that is no UTF-8. */
function pointAt(bytes: Uint8Array, at: number): { point: number | undefined; length: number } {
  for (let length = 1; length <= 4; length += 1) {
    const part = bytes.subarray(at, at + length);
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(part);
    const point = text.codePointAt(0) as number;
    const isWhole = text.length === String.fromCodePoint(point).length;
    const isReal = point !== REPLACEMENT || Buffer.from(text).equals(part);
    if (part.length === length && isWhole && isReal) return { point, length };
  }
  return { point: undefined, length: 1 };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
