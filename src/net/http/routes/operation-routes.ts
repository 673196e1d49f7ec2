/**
 * What a node can be asked to do. Each takes time, so the answer is an operation
 * that can be looked up; with `?wait=10s` the answer waits for its end.
 */

import { Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { MailraftError } from '../../../errors.ts';
import { type Answer, jsonAnswer, type RouteSchema } from '../described.ts';
import type { HttpParts } from '../http-parts.ts';
import { type Operations, type OperationView, unknownText } from '../operations.ts';
import { sendProblem } from '../problem.ts';
import { OPERATION } from '../report-schemas.ts';
import { waitMsOf } from '../wait.ts';

const strict = { additionalProperties: false };
const wait = Type.Optional(
  Type.String({
    maxLength: 16,
    examples: ['10s'],
    description: 'how long the answer may wait for the end: 500ms, 10s, at most 10m',
  }),
);
const dryRun = Type.Optional(
  Type.Unsafe<'true' | 'false'>({
    type: 'string',
    enum: ['true', 'false'],
    description: 'only say what would happen',
  }),
);
const location = { Location: { schema: Type.String() } };

const ANSWERS: Readonly<Record<number, Answer>> = {
  200: jsonAnswer('it is done', OPERATION, location),
  202: jsonAnswer('it is under way', OPERATION, location),
};

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

/** A dry run moves nothing: its answer is worth waiting for without being asked. */
const DRY_RUN_WAIT_MS = 10_000;

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
      const isDryRun = query.dryRun === 'true';
      const waitMs = waitMsOf(query.wait) ?? (isDryRun ? DRY_RUN_WAIT_MS : undefined);
      const kind = isDryRun ? 'switchoverDryRun' : 'switchover';
      const view = operations.begin(kind, (report) =>
        node.switchover({ to: body.to, dryRun: isDryRun }, report),
      );
      return answer(reply, operations, view, waitMs);
    },
  );

  app.post<BarrierRequest>(
    '/v1/barrier',
    { schema: SCHEMAS.barrier, onRequest },
    ({ query }, reply) => {
      const waitMs = waitMsOf(query.wait);
      const view = operations.begin('barrier', (report) => node.barrier(report));
      return answer(reply, operations, view, waitMs);
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

async function answer(
  reply: FastifyReply,
  operations: Operations,
  begun: OperationView,
  waitMs: number | undefined,
): Promise<FastifyReply> {
  reply.header('location', `/v1/operations/${begun.id}`);
  // Not asked to wait: the answer is the same whether or not it has ended by chance.
  if (waitMs === undefined) return reply.code(202).send(begun);
  const view = await operations.wait(begun.id, waitMs);
  if (view.problem !== null) return sendProblem(reply, view.problem);
  return reply.code(view.state === 'done' ? 200 : 202).send(view);
}
