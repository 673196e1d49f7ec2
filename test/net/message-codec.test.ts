/** Messages: what is sent arrives as it was, and what is no message is refused. */

import fc from 'fast-check';
import t from 'tap';
import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import type { Message } from '../../src/consensus/core/messages.ts';
import { decodeMessage, encodeMessage } from '../../src/net/transport/message-codec.ts';

const envelope = { from: 'a', to: 'b', term: 9 };
const membership = membershipOf({ voters: ['a', 'b', 'c'], learners: ['d'] });
const messages: readonly Message[] = [
  {
    type: 'append',
    ...envelope,
    prevIndex: 4,
    prevTerm: 2,
    commit: 3,
    entries: [
      { term: 2, index: 5, kind: 'command', data: Buffer.from('five') },
      { term: 9, index: 6, kind: 'noop', data: Buffer.alloc(0) },
    ],
  },
  {
    type: 'appendResponse',
    ...envelope,
    index: 7,
    rejected: true,
    hintIndex: 3,
    hintTerm: 2,
    hasLost: true,
  },
  { type: 'heartbeat', ...envelope, commit: 3, round: 44 },
  { type: 'heartbeatResponse', ...envelope, round: 44 },
  { type: 'vote', ...envelope, lastIndex: 8, lastTerm: 7, transfer: true, handover: 6 },
  { type: 'preVote', ...envelope, lastIndex: 8, lastTerm: 7, transfer: false, handover: 0 },
  { type: 'voteResponse', ...envelope, rejected: true, commitIndex: 7, commitTerm: 6 },
  { type: 'preVoteResponse', ...envelope, rejected: false, commitIndex: 0, commitTerm: 0 },
  { type: 'timeoutNow', ...envelope, handover: 12 },
  {
    type: 'snapshot',
    ...envelope,
    snapshot: { index: 90, term: 8, membership, membershipIndex: 85 },
  },
];

const around = { promiseMs: 6000, fromIncarnation: 'one', toIncarnation: 'two' };
const encoded = (message: Message) => Buffer.concat(encodeMessage({ message, ...around }));

t.test('every message arrives as it was sent', async (t) => {
  for (const message of messages) {
    t.same(decodeMessage(encoded(message)), { message, ...around }, message.type);
  }
});

t.test('no bytes crash the reader: they are a message or refused with a code', async (t) => {
  const cut = fc.tuple(fc.nat(messages.length - 1), fc.nat(200), fc.nat(255));
  fc.assert(
    fc.property(cut, ([which, at, value]) => {
      const bytes = encoded(messages[which] as Message);
      bytes[at % bytes.length] = value;
      try {
        decodeMessage(bytes);
        return true;
      } catch (error) {
        const code = (error as { code?: string }).code;
        return code === 'DATA_INVALID' || code === 'DATA_DAMAGED';
      }
    }),
    { numRuns: 3000 },
  );
  t.pass('3000 changed messages');
});

t.test('entries that do not follow each other are refused', async (t) => {
  const [append] = messages;
  if (append?.type !== 'append') throw new Error('the first message is an append');
  const [first, second] = append.entries;
  const cases = {
    'a gap': [first, { ...second, index: 8 }],
    'a term that falls': [
      { ...first, term: 3 },
      { ...second, term: 2 },
    ],
    'a term above the message': [first, { ...second, term: 10 }],
    'a beginning elsewhere': [second],
  };
  for (const [name, entries] of Object.entries(cases)) {
    const message = { ...append, entries } as Message;
    t.throws(() => decodeMessage(encoded(message)), { code: 'DATA_INVALID' }, name);
  }
});
