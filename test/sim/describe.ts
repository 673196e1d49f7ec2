/** Messages in words, for traces. */

import type { Message } from '../../src/consensus/core/messages.ts';
import type { PeerMessage } from '../../src/consensus/host/ports.ts';

/** One line for a message that arrives. */
export function messageText({ message, promiseMs }: PeerMessage): string {
  const { type, from, to, term } = message;
  const promise = promiseMs > 0 ? ` promise ${promiseMs}` : '';
  return `${from} > ${to} ${type} ${term}${detailOf(message)}${promise}`;
}

function detailOf(message: Message): string {
  switch (message.type) {
    case 'append': {
      const { prevTerm, prevIndex, commit, entries } = message;
      const list = entries.map(({ term, index }) => `${term}/${index}`);
      const span = list.length > 2 ? `${list[0]} to ${list.at(-1)}` : list.join(' ');
      return ` after ${prevTerm}/${prevIndex} commit ${commit} [${span}]`;
    }
    case 'appendResponse': {
      const { index, rejected, hintIndex, hintTerm } = message;
      return rejected ? ` no ${index}, try ${hintTerm}/${hintIndex}` : ` up to ${index}`;
    }
    case 'heartbeat':
      return ` round ${message.round} commit ${message.commit}`;
    case 'heartbeatResponse':
      return ` round ${message.round}`;
    case 'vote':
    case 'preVote':
      return ` last ${message.lastTerm}/${message.lastIndex}${message.transfer ? ' transfer' : ''}`;
    case 'voteResponse':
    case 'preVoteResponse':
      return message.rejected ? ' no' : ' yes';
    case 'snapshot':
      return ` state at ${message.snapshot.term}/${message.snapshot.index}`;
    case 'timeoutNow':
      return ` hand-over at ${message.handover}`;
    default:
      return '';
  }
}
