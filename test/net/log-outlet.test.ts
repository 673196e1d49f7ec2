/** The commit index travels with entries where it can, and never waits long. */

import t from 'tap';
import type { Message } from '../../src/consensus/core/messages.ts';
import type { PeerMessage } from '../../src/consensus/host/ports.ts';
import { LogOutlet } from '../../src/net/transport/log-outlet.ts';
import { until } from '../support/until.ts';

const envelope = { from: 'a', to: 'b', term: 3 } as const;

function append(commit: number, entries: number): PeerMessage {
  const all = Array.from({ length: entries }, (_, at) => ({
    term: 3,
    index: 8 + at,
    kind: 'command' as const,
    data: Buffer.from('x'),
  }));
  const message = { ...envelope, type: 'append', prevIndex: 7, prevTerm: 3, commit } as const;
  return outgoing({ ...message, entries: all });
}

const answer = outgoing({
  ...envelope,
  type: 'appendResponse',
  index: 7,
  rejected: false,
  hintIndex: 0,
  hintTerm: 0,
  hasLost: false,
});

function outgoing(message: Message): PeerMessage {
  return { message, promiseMs: 0 } as PeerMessage;
}

t.test('a commit index that entries follow leaves with them alone', async (t) => {
  const sent: PeerMessage[] = [];
  const outlet = new LogOutlet((message) => sent.push(message));
  const entries = append(6, 2);
  outlet.send(append(5, 0));
  outlet.send(append(6, 0));
  t.same(sent, [], 'it waits');
  outlet.send(entries);
  t.same(sent, [entries]);
  const last = append(9, 0);
  outlet.send(last);
  await until(() => sent.length > 1, 'the next commit index');
  t.same(sent, [entries, last], 'nothing of what was overtaken leaves later');
});

t.test('a commit index that nothing follows leaves by itself', async (t) => {
  const sent: PeerMessage[] = [];
  const outlet = new LogOutlet((message) => sent.push(message));
  outlet.send(append(5, 0));
  outlet.send(append(6, 0));
  await until(() => sent.length > 0, 'the commit index');
  t.same(sent, [append(6, 0)]);
});

t.test('an answer does not overtake what was said before it', async (t) => {
  const sent: PeerMessage[] = [];
  const outlet = new LogOutlet((message) => sent.push(message));
  outlet.send(append(5, 0));
  outlet.send(answer);
  t.same(sent, [append(5, 0), answer]);
});

t.test('after the end nothing leaves', async (t) => {
  const sent: PeerMessage[] = [];
  const outlet = new LogOutlet((message) => sent.push(message));
  outlet.send(append(5, 0));
  outlet.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.same(sent, []);
});
