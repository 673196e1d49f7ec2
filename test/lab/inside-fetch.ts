/**
 * A program that runs inside a machine and makes HTTP requests there.
 *
 * The daemon's HTTP listens on the machine's own loopback, which nobody outside
 * can reach, and a new process for every look would cost more than the look.
 * Each line of input is a request, each line of output its answer; see
 * `InsideRequest` and `InsideAnswer`. Every request has its own connection.
 */

import { request } from 'node:http';
import { createInterface } from 'node:readline';

export interface InsideRequest {
  readonly id: number;
  readonly method: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
}

export type InsideAnswer =
  | {
      readonly id: number;
      readonly status: number;
      readonly headers: Readonly<Record<string, unknown>>;
      readonly body: string;
    }
  | { readonly id: number; readonly error: string };

function answer(line: InsideAnswer): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function serve({ id, method, port, path, headers, body, timeoutMs }: InsideRequest): void {
  const signal = AbortSignal.timeout(timeoutMs);
  const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false, signal });
  const fail = (error: Error) => answer({ id, error: error.message });
  sent.on('error', fail);
  sent.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('error', fail);
    response.on('end', () => {
      answer({ id, status: response.statusCode ?? 0, headers: response.headers, body: text });
    });
  });
  sent.end(body);
}

// Whoever asked may be gone before the answer is there.
process.stdout.on('error', () => process.exit(0));
createInterface({ input: process.stdin })
  .on('line', (line) => serve(JSON.parse(line) as InsideRequest))
  .on('close', () => process.exit(0));
