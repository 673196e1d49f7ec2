/**
 * Where clients of the bench's member come in. What all of them sent since the last
 * turn is proposed together, and what is committed together is answered together.
 */

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { RaftHost } from '../../../src/consensus/host/raft-host.ts';
import { frameOf, type Question, WordDecoder } from '../clients/member-words.ts';
import type { KeyValues } from './key-values.ts';

interface Put {
  readonly socket: Socket;
  readonly id: number;
  readonly entry: Buffer;
}

interface Proposed {
  readonly index: number;
  readonly put: Put;
}

export class ClientDoor {
  readonly #host: RaftHost;
  readonly #values: KeyValues;
  readonly #server: Server;
  #arrived: Put[] = [];
  /** By rising index. */
  readonly #proposed: Proposed[] = [];

  constructor(host: RaftHost, values: KeyValues) {
    this.#host = host;
    this.#values = values;
    this.#server = createServer({ noDelay: true }, (socket) => this.#welcome(socket));
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Answers what is committed; call it whenever something may be. */
  answerCommitted(): void {
    const { commit } = this.#host.status;
    const open = this.#proposed.findIndex(({ index }) => index > commit);
    const count = open < 0 ? this.#proposed.length : open;
    for (const { put } of this.#proposed.splice(0, count)) answer(put, '');
  }

  /** The lead is lost: what becomes of the writes under way nobody knows. */
  leadLost(): void {
    for (const { put } of this.#proposed.splice(0)) answer(put, 'the lead was lost');
  }

  #welcome(socket: Socket): void {
    const decoder = new WordDecoder<Question>();
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      for (const question of decoder.push(chunk)) this.#take(socket, question);
    });
  }

  #take(socket: Socket, [id, method, body]: Question): void {
    switch (method) {
      case 'put':
        if (this.#arrived.length === 0) setImmediate(() => this.#propose());
        this.#arrived.push({ socket, id, entry: body as Buffer });
        return;
      case 'list': {
        const [after, countMax] = body as [string, number];
        socket.write(frameOf([id, '', this.#values.list(after, countMax)]));
        return;
      }
      case 'leads':
        socket.write(frameOf([id, '', this.#leads]));
    }
  }

  /** Leads, and has applied everything that was committed before its term. */
  get #leads(): boolean {
    const { role, term, applied } = this.#host.status;
    return role === 'leader' && this.#host.termAt(applied) === term;
  }

  #propose(): void {
    const puts = this.#arrived;
    this.#arrived = [];
    const result = this.#host.propose(puts.map(({ entry }) => entry));
    if (result.kind === 'dropped') {
      for (const put of puts) answer(put, result.reason);
      return;
    }
    for (const [at, put] of puts.entries()) this.#proposed.push({ index: result.first + at, put });
    this.answerCommitted();
  }
}

function answer({ socket, id }: Put, problem: string): void {
  socket.write(frameOf([id, problem, null]));
}
