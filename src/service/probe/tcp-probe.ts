/** Whether somebody accepts connections: the least that can be asked of a service. */

import { Conversation, type Probe } from './connection.ts';

export const probeTcp: Probe = (target, signal) => {
  const conversation = new Conversation(target, signal, 'connection');
  conversation.socket.once('connect', () => conversation.succeed('connected'));
  return conversation.outcome;
};
