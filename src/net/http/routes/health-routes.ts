/** Whether the process lives, and whether the node can do its part: a line per check. */

import type { FastifyInstance } from 'fastify';
import { type RouteSchema, textAnswer } from '../described.ts';
import type { HttpParts } from '../http-parts.ts';

const LIVE: RouteSchema = {
  operationId: 'livez',
  summary: 'Is the process alive?',
  response: { 200: textAnswer('it is') },
};

const READY: RouteSchema = {
  operationId: 'readyz',
  summary: 'Can the node do its part?',
  response: {
    200: textAnswer('a line per check, all of which hold'),
    503: textAnswer('a line per check, of which one at least fails'),
  },
};

export function healthRoutes(app: FastifyInstance, { node }: HttpParts): void {
  app.get('/livez', { schema: LIVE }, (_, reply) => reply.type('text/plain').send('ok\n'));

  app.get('/readyz', { schema: READY }, (_, reply) => {
    const checks = node.ready();
    const lines = checks.map(({ name, ok, text }) => `[${ok ? '+' : '-'}] ${name}: ${text}\n`);
    return reply
      .code(checks.every(({ ok }) => ok) ? 200 : 503)
      .type('text/plain')
      .send(lines.join(''));
  });
}
