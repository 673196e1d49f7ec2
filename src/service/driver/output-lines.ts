/** What a service writes, line by line; a line without end is cut into pieces. */

import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

const LINE_CHARACTERS_MAX = 4096;

export function forEachLine(output: Readable, take: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  output.on('data', (bytes: Buffer) => {
    const lines = (rest + decoder.write(bytes)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) takePieces(line, take);
    while (rest.length > LINE_CHARACTERS_MAX) {
      take(rest.slice(0, LINE_CHARACTERS_MAX));
      rest = rest.slice(LINE_CHARACTERS_MAX);
    }
  });
  output.on('end', () => takePieces(rest, take));
  // A broken pipe says nothing that the end of the service does not.
  output.on('error', () => output.destroy());
}

function takePieces(line: string, take: (line: string) => void): void {
  for (let at = 0; at < line.length; at += LINE_CHARACTERS_MAX) {
    take(line.slice(at, at + LINE_CHARACTERS_MAX));
  }
}
