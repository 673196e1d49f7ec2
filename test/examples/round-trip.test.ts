/**
 * Every message of the corpus goes in by SMTP and comes out by POP3 byte for byte: large
 * ones, ones with pictures, and the malformed ones of Python's test suite.
 */

import { createHash } from 'node:crypto';
import t from 'tap';
import { MailCorpus } from '../../src/cli/demo/corpus.ts';
import { SmtpLoad } from '../../src/cli/demo/smtp-load.ts';
import { LineClient } from './line-client.ts';
import { MailProcess } from './mail-process.ts';

/** Enough for each of the test suite's e-mails to have its turn. */
const MESSAGES = 512;

t.test('what SMTP was given POP3 gives back', async (t) => {
  const mail = await MailProcess.start(t, { store: t.testdir() });
  const corpus = await MailCorpus.open(7);
  const load = new SmtpLoad({
    host: '127.0.0.1',
    port: mail.smtpPort,
    sessions: 4,
    message: (index) => corpus.message(index),
    idPrefix: 'trip',
    total: MESSAGES,
    replyMsMax: 30_000,
  });
  t.teardown(() => load.stop());
  load.start();
  await load.done;
  const ledger = await load.stop();
  t.equal(ledger.answered.length, MESSAGES);
  t.same(ledger.unknown, []);

  const client = await LineClient.pop3(t, mail.pop3Port);
  const octets = ledger.answered.reduce((sum, { bytes }) => sum + bytes, 0);
  t.equal(await client.ask('STAT'), `+OK ${MESSAGES} ${octets}`);
  const fetched = new Set<string>();
  for (let number = 1; number <= MESSAGES; number += 1) {
    const { body } = await client.multiline(`RETR ${number}`);
    fetched.add(createHash('sha256').update(body).digest('hex'));
  }
  t.same(
    ledger.answered.filter(({ digest }) => !fetched.has(digest)).map(({ id }) => id),
    [],
    'every answered message was fetched unchanged',
  );
  t.equal(fetched.size, MESSAGES);
});
