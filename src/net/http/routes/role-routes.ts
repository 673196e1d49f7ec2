/**
 * Where a balancer or a monitor asks whether this node is the one: 200 for yes, 503
 * for no, never anything else, the same for HEAD.
 */

import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { jsonAnswer, type RouteSchema } from '../described.ts';
import type { HttpParts } from '../http-parts.ts';
import type { NodePort } from '../node-port.ts';
import { ROLE, type RoleReport } from '../report-schemas.ts';

interface RoleQuestion {
  readonly path: string;
  readonly summary: string;
  holds(node: NodePort): boolean;
}

const QUESTIONS: readonly RoleQuestion[] = [
  {
    path: 'primary',
    summary: 'Is it primary: tenure valid, address held, probes passing?',
    holds: (node) => node.isPrimary,
  },
  { path: 'leader', summary: 'Does it lead the Raft group?', holds: (node) => node.isLeader },
  {
    path: 'secondary',
    summary: 'Does it follow, with all data, ready to take over?',
    holds: (node) => node.isSecondary,
  },
  // Roles that other members of a cluster may have; this node says what it is.
  {
    path: 'replica',
    summary: 'Does it have the data without a vote?',
    holds: (node) => ['replica', 'dr'].includes(node.role),
  },
  {
    path: 'witness',
    summary: 'Does it vote without the data?',
    holds: (node) => node.role === 'witness',
  },
];

const HEADERS = {
  'X-Mailraft-Term': { schema: Type.Integer() },
  'X-Mailraft-Role': { schema: Type.String() },
};

export function roleRoutes(app: FastifyInstance, { node }: HttpParts): void {
  for (const { path, summary, holds } of QUESTIONS) {
    const schema: RouteSchema = {
      operationId: path,
      summary,
      response: {
        200: jsonAnswer('yes', ROLE, HEADERS),
        503: jsonAnswer('no', ROLE, HEADERS),
      },
    };
    app.get(`/${path}`, { schema }, (_, reply) => {
      const report: RoleReport = { role: node.role, term: node.term };
      return reply
        .code(holds(node) ? 200 : 503)
        .header('x-mailraft-term', report.term)
        .header('x-mailraft-role', report.role)
        .send(report);
    });
  }
}
