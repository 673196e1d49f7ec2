/**
 * What a node can be asked to do. Each takes time, so the answer is an operation
 * that can be looked up; with `?wait=10s` the answer waits for its end.
 */

import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { MailraftError } from '../../../errors.ts';
import { jsonAnswer, type RouteSchema } from '../described.ts';
import type { HttpParts } from '../http-parts.ts';
import { unknownText } from '../operations.ts';
import { OPERATION } from '../report-schemas.ts';
import { waitMsOf } from '../wait.ts';
import { ANSWERS, answerWith, dryRun, mannerOf, strict, wait } from './operation-answer.ts';

const SCHEMAS = {
  switchover: {
    operationId: 'switchover',
    summary: 'Moves the service to another member, nothing is lost.',
    querystring: Type.Object({ wait, dryRun }, strict),
    body: Type.Object(
      {
        to: Type.Optional(
          Type.String({ minLength: 1, maxLength: 255, description: 'default: the best member' }),
        ),
      },
      strict,
    ),
    response: ANSWERS,
  },
  barrier: {
    operationId: 'barrier',
    summary: 'Ends when everything written before it is committed.',
    querystring: Type.Object({ wait }, strict),
    body: Type.Object({}, strict),
    response: ANSWERS,
  },
  operation: {
    operationId: 'operation',
    summary: 'How far an operation has come.',
    params: Type.Object({ id: Type.String({ maxLength: 64 }) }),
    response: { 200: jsonAnswer('the operation', OPERATION) },
  },
} satisfies Record<string, RouteSchema>;

interface SwitchoverRequest {
  Querystring: { readonly wait?: string; readonly dryRun?: 'true' | 'false' };
  Body: { readonly to?: string };
}

interface BarrierRequest {
  Querystring: { readonly wait?: string };
}

export function operationRoutes(app: FastifyInstance, parts: HttpParts): void {
  const { node, operations } = parts;
  const onRequest = parts.requireToken;

  app.post<SwitchoverRequest>(
    '/v1/switchover',
    { schema: SCHEMAS.switchover, onRequest },
    ({ query, body }, reply) => {
      const { isDryRun, waitMs } = mannerOf(query);
      const kind = isDryRun ? 'switchoverDryRun' : 'switchover';
      const view = operations.begin(kind, (report) =>
        node.switchover({ to: body.to, dryRun: isDryRun }, report),
      );
      return answerWith(reply, operations, { view, waitMs });
    },
  );

  app.post<BarrierRequest>(
    '/v1/barrier',
    { schema: SCHEMAS.barrier, onRequest },
    ({ query }, reply) => {
      const waitMs = waitMsOf(query.wait);
      const view = operations.begin('barrier', (report) => node.barrier(report));
      return answerWith(reply, operations, { view, waitMs });
    },
  );

  app.get<{ Params: { readonly id: string } }>(
    '/v1/operations/:id',
    { schema: SCHEMAS.operation },
    ({ params }) => {
      const view = operations.find(params.id);
      if (view === undefined) throw new MailraftError('NOT_FOUND', unknownText(params.id));
      return view;
    },
  );
}
