/** One node as its HTTP interface shows it. Every call is bounded in time. */

import { readFile } from 'node:fs/promises';
import { systemCode } from '../../errors.ts';

export interface NodeAnswer {
  readonly status: number;
  readonly body: unknown;
}

const ASK_MS_MAX = 2_000;
/** On top of how long the node itself may wait with its answer. */
const ANSWER_MS_MAX = 1_000;

export class NodeClient {
  readonly id: string;
  readonly url: string;
  readonly #tokenFile: string;

  constructor(id: string, url: string, tokenFile: string) {
    this.id = id;
    this.url = url;
    this.#tokenFile = tokenFile;
  }

  /** The report at `path`; undefined while the node does not answer, or not with 200. */
  async get<T>(path: string): Promise<T | undefined> {
    const answer = await this.#ask(path, {}, ASK_MS_MAX);
    return answer?.status === 200 ? (answer.body as T) : undefined;
  }

  /** Whether the node serves with everything that belongs to it. */
  async isPrimary(): Promise<boolean> {
    return (await this.#ask('/primary', {}, ASK_MS_MAX))?.status === 200;
  }

  /**
   * Has an operation done and waits for its end, `waitS` seconds at most.
   * Undefined when the node did not answer: the operation was done or not.
   */
  async operate(path: string, waitS: number): Promise<NodeAnswer | undefined> {
    const token = await this.#token();
    if (token === undefined) return undefined;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: '{}' };
    return this.#ask(`${path}?wait=${waitS}s`, request, waitS * 1_000 + ANSWER_MS_MAX);
  }

  async #ask(path: string, request: RequestInit, msMax: number): Promise<NodeAnswer | undefined> {
    try {
      const signal = AbortSignal.timeout(msMax);
      const response = await fetch(`${this.url}${path}`, { ...request, signal });
      return { status: response.status, body: parse(await response.text()) };
    } catch (error) {
      // What `fetch` throws when nobody answers, or not in time: mostly errors of its own.
      const isOfFetch = error instanceof TypeError || error instanceof DOMException;
      if (isOfFetch || systemCode(error) !== undefined) return undefined;
      throw error;
    }
  }

  /** The node writes it at its first start. */
  async #token(): Promise<string | undefined> {
    try {
      return (await readFile(this.#tokenFile, 'utf8')).trim();
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** JSON as what it says; anything else as the text that it is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
