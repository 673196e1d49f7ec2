/** The load generator as the bench sees it: a process of its own. */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MailraftError } from '../../../src/errors.ts';
import { RunningProcess } from '../cluster/processes.ts';
import type { FromGenerator, Measured, ToGenerator } from './load-words.ts';

const program = fileURLToPath(new URL('./generator-main.js', import.meta.url));

export class LoadGenerator {
  readonly #process = new RunningProcess({
    file: process.execPath,
    args: [program],
    hasChannel: true,
  });

  async measure(word: Omit<Extract<ToGenerator, { kind: 'measure' }>, 'kind'>): Promise<Measured> {
    const said = await this.#ask({ kind: 'measure', ...word });
    if (said.kind === 'measured') return said.measured;
    throw failed(said);
  }

  /** @returns how many writes of each client were acknowledged */
  async endure(
    word: Omit<Extract<ToGenerator, { kind: 'endure' }>, 'kind'>,
  ): Promise<readonly number[]> {
    const said = await this.#ask({ kind: 'endure', ...word });
    if (said.kind === 'endured') return said.acknowledged;
    throw failed(said);
  }

  async stop(): Promise<void> {
    await this.#process.kill();
  }

  async #ask(word: ToGenerator): Promise<FromGenerator> {
    const { child } = this.#process;
    const gone = new AbortController();
    const ended = once(child, 'exit', { signal: gone.signal }).then(
      (): FromGenerator => ({ kind: 'failed', message: `it ended: ${this.#process.words}` }),
    );
    const answered = once(child, 'message').then(([said]) => said as FromGenerator);
    child.send(word);
    try {
      return await Promise.race([answered, ended]);
    } finally {
      ended.catch(() => undefined);
      gone.abort();
    }
  }
}

function failed(said: FromGenerator): MailraftError {
  const text = said.kind === 'failed' ? said.message : `it said ${said.kind}`;
  return new MailraftError('SERVICE_FAILED', `the load generator failed: ${text}`);
}
