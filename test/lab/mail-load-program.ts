/**
 * A program that runs inside the client's machine and delivers mail all the time.
 *
 * A line for each answered message comes on standard output. A line on standard input
 * asks a question; the end of the input ends the load and brings the last line, the
 * rest of the account. See `LoadQuestion` and `LoadLine`.
 */

import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { MailCorpus } from '../../src/cli/demo/corpus.ts';
import type { AnsweredMessage, Ledger, Outage } from '../../src/cli/demo/smtp-ledger.ts';
import { SmtpLoad } from '../../src/cli/demo/smtp-load.ts';

/** How long the clients heard nothing around that moment. */
export interface LoadQuestion {
  readonly outageAtMs: number;
}

export type LoadLine =
  | { readonly line: 'begun' }
  | { readonly line: 'answered'; readonly message: AnsweredMessage }
  | { readonly line: 'outage'; readonly outage: Outage | null }
  | { readonly line: 'end'; readonly account: Omit<Ledger, 'answered'> };

const SMTP_PORT = 25;
const SESSIONS = 4;
const SEED = 1;
/** Ordinary clients would wait longer; these find out soon that nobody answers. */
const CONNECT_MS_MAX = 250;
const REPLY_MS_MAX = 1_000;

function print(line: LoadLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const { values } = parseArgs({
  options: { host: { type: 'string', default: '' }, rate: { type: 'string', default: '20' } },
});
const corpus = await MailCorpus.open(SEED);
const load = new SmtpLoad({
  host: values.host,
  port: SMTP_PORT,
  sessions: SESSIONS,
  message: (index) => corpus.message(index),
  idPrefix: 'lab',
  ratePerSecond: Number(values.rate),
  connectMsMax: CONNECT_MS_MAX,
  replyMsMax: REPLY_MS_MAX,
  onAnswered: (message) => print({ line: 'answered', message }),
});
// Whoever asked may be gone before the answer is there.
process.stdout.on('error', () => process.exit(0));
load.start();
print({ line: 'begun' });
for await (const question of createInterface({ input: process.stdin })) {
  const { outageAtMs } = JSON.parse(question) as LoadQuestion;
  print({ line: 'outage', outage: load.outage(outageAtMs) ?? null });
}
const { answered, ...account } = await load.stop();
print({ line: 'end', account });
