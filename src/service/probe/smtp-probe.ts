/**
 * Whether an SMTP server greets and answers: `220`, then `EHLO` and `250`. No mail is
 * sent, and it takes its leave with `QUIT`.
 */

import { messageOf } from '../../errors.ts';
import { Conversation, type Probe } from './connection.ts';
import { type SmtpReply, SmtpReplyReader } from './smtp-reply.ts';

/** A name that every server takes, also one that looks names up. */
const EHLO = 'EHLO [127.0.0.1]\r\n';

export const probeSmtp: Probe = (target, signal) => {
  const conversation = new Conversation(target, signal, 'greeting');
  const reader = new SmtpReplyReader();
  let isGreeted = false;
  const answer = (reply: SmtpReply) => {
    const expected = isGreeted ? 250 : 220;
    if (reply.code !== expected) {
      conversation.fail(`${expected} expected, found ${JSON.stringify(reply.text)}`);
    } else if (isGreeted) {
      conversation.succeed('greeted and answered EHLO', 'QUIT\r\n');
    } else {
      isGreeted = true;
      conversation.await('answer to EHLO');
      conversation.socket.write(EHLO);
    }
  };
  conversation.socket.on('data', (bytes) => {
    // What comes after the last word is of no interest.
    if (conversation.isOver) return;
    try {
      for (const reply of reader.push(bytes)) if (!conversation.isOver) answer(reply);
    } catch (error) {
      conversation.fail(messageOf(error));
    }
  });
  return conversation.outcome;
};
