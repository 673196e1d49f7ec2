/** How operations are asked for and answered, the same for all of them. */

import { Type } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import { type Answer, jsonAnswer } from '../described.ts';
import type { Operations, OperationView } from '../operations.ts';
import { sendProblem } from '../problem.ts';
import { OPERATION } from '../report-schemas.ts';
import { waitMsOf } from '../wait.ts';

export const strict = { additionalProperties: false } as const;
export const wait = Type.Optional(
  Type.String({
    maxLength: 16,
    examples: ['10s'],
    description: 'how long the answer may wait for the end: 500ms, 10s, at most 10m',
  }),
);
export const dryRun = Type.Optional(
  Type.Unsafe<'true' | 'false'>({
    type: 'string',
    enum: ['true', 'false'],
    description: 'only say what would happen',
  }),
);
const location = { Location: { schema: Type.String() } };

export const ANSWERS: Readonly<Record<number, Answer>> = {
  200: jsonAnswer('it is done', OPERATION, location),
  202: jsonAnswer('it is under way', OPERATION, location),
};

/** A dry run moves nothing: its answer is worth waiting for without being asked. */
const DRY_RUN_WAIT_MS = 10_000;

/** How an operation is asked for. */
export function mannerOf(query: { readonly wait?: string; readonly dryRun?: 'true' | 'false' }): {
  readonly isDryRun: boolean;
  readonly waitMs: number | undefined;
} {
  const isDryRun = query.dryRun === 'true';
  return { isDryRun, waitMs: waitMsOf(query.wait) ?? (isDryRun ? DRY_RUN_WAIT_MS : undefined) };
}

export async function answerWith(
  reply: FastifyReply,
  operations: Operations,
  { view: begun, waitMs }: { readonly view: OperationView; readonly waitMs: number | undefined },
): Promise<FastifyReply> {
  reply.header('location', `/v1/operations/${begun.id}`);
  // Not asked to wait: the answer is the same whether or not it has ended by chance.
  if (waitMs === undefined) return reply.code(202).send(begun);
  const view = await operations.wait(begun.id, waitMs);
  if (view.problem !== null) return sendProblem(reply, view.problem);
  return reply.code(view.state === 'done' ? 200 : 202).send(view);
}
