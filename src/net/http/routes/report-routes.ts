/** What the node knows: itself, the members, what happened, what was kept aside, figures. */

import type { FastifyInstance } from 'fastify';
import { jsonAnswer, type RouteSchema, textAnswer } from '../described.ts';
import type { HttpParts } from '../http-parts.ts';
import { CLUSTER, HISTORY, SALVAGE, STATUS } from '../report-schemas.ts';

const SCHEMAS = {
  status: {
    operationId: 'status',
    summary: 'This node, and what it knows of the cluster.',
    response: { 200: jsonAnswer('the state of this moment', STATUS) },
  },
  cluster: {
    operationId: 'cluster',
    summary: 'The members: role, lag, who may take over and why not.',
    response: { 200: jsonAnswer('the members as this node knows them', CLUSTER) },
  },
  history: {
    operationId: 'history',
    summary: 'Every change of the tenure, with its cause and phases.',
    response: { 200: jsonAnswer('the changes that this node remembers', HISTORY) },
  },
  salvage: {
    operationId: 'salvage',
    summary: 'Files kept aside because the cluster went on without them.',
    response: { 200: jsonAnswer('all that this node keeps', SALVAGE) },
  },
  metrics: {
    operationId: 'metrics',
    summary: 'Figures for Prometheus.',
    response: { 200: textAnswer('Prometheus text format') },
  },
} satisfies Record<string, RouteSchema>;

export function reportRoutes(app: FastifyInstance, { node, metrics }: HttpParts): void {
  app.get('/status', { schema: SCHEMAS.status }, () => node.status());
  app.get('/cluster', { schema: SCHEMAS.cluster }, () => node.cluster());
  app.get('/history', { schema: SCHEMAS.history }, () => node.history());
  app.get('/v1/salvage', { schema: SCHEMAS.salvage }, () => node.salvage());
  app.get('/metrics', { schema: SCHEMAS.metrics }, async (_, reply) => {
    const text = await metrics.text();
    return reply.type(metrics.registry.contentType).send(text);
  });
}
