/**
 * HTTP to a server that listens on a machine's own loopback.
 *
 * A program inside the machine makes the requests. It dies with the machine,
 * and is started again by the next request; requests under way then fail.
 */

import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { InsideAnswer, InsideRequest } from './inside-fetch.ts';
import type { Machine } from './machine.ts';
import { builtProgram } from './project-files.ts';

export interface HttpRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default 2 s. */
  readonly timeoutMs?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

interface Pending {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: Error) => void;
}

export class InsideHttp {
  readonly #machine: Machine;
  readonly #port: number;
  readonly #pending = new Map<number, Pending>();
  #relay: ChildProcess | undefined;
  #lastId = 0;

  constructor(machine: Machine, port: number) {
    this.#machine = machine;
    this.#port = port;
  }

  /** Rejects when there was no answer: refused, timed out, machine off. */
  request(request: HttpRequest): Promise<HttpAnswer> {
    const { path, method = 'GET', headers = {}, body = '', timeoutMs = 2_000 } = request;
    return new Promise((resolve, reject) => {
      if (!this.#machine.isOn) {
        reject(new Error(`machine ${this.#machine.name} is off`));
        return;
      }
      this.#lastId += 1;
      const id = this.#lastId;
      const line: InsideRequest = { id, method, port: this.#port, path, headers, body, timeoutMs };
      this.#pending.set(id, { resolve, reject });
      this.#relay ??= this.#start();
      this.#relay.stdin?.write(`${JSON.stringify(line)}\n`);
    });
  }

  #start(): ChildProcess {
    const program = builtProgram('test/lab/inside-fetch.ts');
    const stdio = ['pipe', 'pipe', 'inherit'] as const;
    const relay = this.#machine.spawn([process.execPath, program], { stdio: [...stdio] });
    relay.stdin?.on('error', () => undefined);
    if (relay.stdout === null) throw new Error('the relay needs a pipe for its output');
    createInterface({ input: relay.stdout }).on('line', (text) => this.#take(JSON.parse(text)));
    relay.on('exit', () => this.#lost(relay));
    return relay;
  }

  #take(answer: InsideAnswer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ('error' in answer) pending?.reject(new Error(answer.error));
    else pending?.resolve(answer);
  }

  #lost(relay: ChildProcess): void {
    if (this.#relay !== relay) return;
    this.#relay = undefined;
    const unanswered = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of unanswered) reject(new Error('the machine lost its relay'));
  }
}
