/** Live events, for as long as the client listens. */

import type { FastifyInstance } from 'fastify';
import { type RouteSchema, textAnswer } from '../described.ts';
import type { HttpParts } from '../http-parts.ts';

const EVENTS: RouteSchema = {
  operationId: 'events',
  summary: 'Live events; the last ones come first, or those after `Last-Event-ID`.',
  response: { 200: textAnswer('a stream that does not end', 'text/event-stream') },
};

export function eventRoutes(app: FastifyInstance, { events }: HttpParts): void {
  // A HEAD of it would open a stream that nobody reads.
  app.get('/events', { schema: EVENTS, exposeHeadRoute: false }, ({ headers }, reply) => {
    const lastId = headers['last-event-id'];
    const stream = events.open(typeof lastId === 'string' ? lastId : undefined);
    return reply.type('text/event-stream').send(stream);
  });
}
