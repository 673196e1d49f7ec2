/**
 * Ports of this machine that nobody listens on.
 *
 * They lie below those that Linux gives to outgoing connections: a port that is bound
 * again and again, as the shared one is, must not meet a client's connection there.
 */

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { MailraftError, systemCode } from '../../errors.ts';

const PORT_MIN = 15_000;
const PORT_MAX = 32_000;
const ATTEMPTS_PER_PORT = 50;

/** So many different ports of 127.0.0.1, free a moment ago. */
export async function findFreePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  try {
    const ports: number[] = [];
    for (let attempt = 0; ports.length < count; attempt += 1) {
      if (attempt >= count * ATTEMPTS_PER_PORT) {
        throw new MailraftError('NOT_FOUND', `no ${count} free ports below ${PORT_MAX}`);
      }
      const port = randomInt(PORT_MIN, PORT_MAX);
      const server = await listen(port);
      if (server === undefined) continue;
      // Held until all are found, so that none is found twice.
      held.push(server);
      ports.push(port);
    }
    return ports;
  } finally {
    await Promise.all(held.map((server) => once(server.close(), 'close')));
  }
}

async function listen(port: number): Promise<Server | undefined> {
  const server = createServer();
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (systemCode(error) === 'EADDRINUSE') return undefined;
    throw error;
  }
}
