/**
 * Asks a node over HTTP. Every answer is complete, within time and within a size,
 * or an error whose code says how the verb ends.
 *
 * The one thing that must not be got wrong: a call that changes something and gets
 * no answer may have been carried out, so its outcome is unknown, not failed.
 */

import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { MailraftError, messageOf, systemCode } from '../errors.ts';
import type { NodeTarget } from './node-target.ts';
import { problemOf } from './problem.ts';

const BODY_BYTES_MAX = 16 * 1024 * 1024;
const READ_TIMEOUT_MS = 5_000;

/** The connection never stood, so that nothing was asked. */
const NOT_CONNECTED: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there, is the node running?'],
  ['EHOSTUNREACH', 'the host can not be reached'],
  ['ENETUNREACH', 'the network can not be reached'],
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'the name of the host can not be looked up'],
]);

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string | undefined;
  readonly timeoutMs: number;
}

export class NodeClient {
  readonly #target: NodeTarget;

  constructor(target: NodeTarget) {
    this.#target = target;
  }

  /** The address of the node, for messages. */
  get address(): string {
    return this.#target.url.origin;
  }

  /** Reading needs no token. */
  async get(path: string): Promise<unknown> {
    return await this.#ask({ method: 'GET', path, timeoutMs: READ_TIMEOUT_MS });
  }

  /** Asks for a change; the answer may take `timeoutMs`. */
  async post(path: string, body: unknown, timeoutMs: number = READ_TIMEOUT_MS): Promise<unknown> {
    const token = await this.#target.token();
    return await this.#ask({ method: 'POST', path, body, token, timeoutMs });
  }

  async #ask(call: Call): Promise<unknown> {
    const { status, text } = await this.#exchange(call).catch((error: unknown) => {
      throw this.#failureOf(call, error);
    });
    const body = parseJson(text);
    if (status >= 200 && status < 300 && body !== undefined) return body;
    throw problemOf(status, body, `${call.method} ${this.address}/${call.path}`);
  }

  async #exchange(call: Call): Promise<{ status: number; text: string }> {
    const { url } = this.#target;
    const { request } = await import(url.protocol === 'https:' ? 'node:https' : 'node:http');
    const text = call.body === undefined ? '' : JSON.stringify(call.body);
    const outgoing: ClientRequest = request(new URL(call.path, url), {
      method: call.method,
      headers: {
        accept: 'application/json, application/problem+json',
        ...(text === '' ? {} : { 'content-type': 'application/json' }),
        ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
      },
      signal: AbortSignal.timeout(call.timeoutMs),
      // A connection that is kept would keep the process.
      agent: false,
    });
    outgoing.end(text);
    const [incoming]: IncomingMessage[] = await once(outgoing, 'response');
    if (incoming === undefined)
      throw new MailraftError('INVARIANT', 'a response without a message');
    // What ends the request from here on also ends the reading of the answer, which tells of it.
    outgoing.on('error', (error) => incoming.destroy(error));
    return { status: incoming.statusCode ?? 0, text: await readText(incoming) };
  }

  #failureOf({ method, path, timeoutMs }: Call, error: unknown): MailraftError {
    if (error instanceof MailraftError) return error;
    const code = systemCode(error) ?? '';
    const hint = NOT_CONNECTED.get(code);
    if (hint !== undefined) {
      return new MailraftError('NO_QUORUM', `cannot connect to ${this.address}: ${hint} (${code})`);
    }
    const isLate = code === 'ABORT_ERR' || code === 'ETIMEDOUT';
    const what = isLate
      ? `no answer within ${timeoutMs / 1000} s`
      : `the connection broke: ${messageOf(error)}`;
    const where = `${method} ${this.address}/${path}`;
    if (method === 'POST') {
      return new MailraftError(
        'TIMED_OUT',
        `${where}: ${what}; the outcome is unknown, see status`,
      );
    }
    return new MailraftError(isLate ? 'TIMED_OUT' : 'NO_QUORUM', `${where}: ${what}`);
  }
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) {
      incoming.destroy();
      throw new MailraftError('DATA_INVALID', `the answer is longer than ${BODY_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
