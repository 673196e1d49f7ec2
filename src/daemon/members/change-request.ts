/** What may be asked for about the members, and what the primary answers to each step. */

import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { MailraftError } from '../../errors.ts';

const text = Type.String({ maxLength: 1024 });
const id = Type.String({ minLength: 1, maxLength: 63 });
const priority = Type.Integer({ minimum: 0, maximum: 1000 });

const AddSchema = Type.Object({
  kind: Type.Literal('add'),
  id,
  /** `HOST:PORT`; absent for a member whose address is known. */
  address: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  /** It is to have a vote as soon as it has caught up. */
  isPromoted: Type.Boolean(),
  priority: Type.Optional(priority),
  site: Type.Optional(Type.String({ maxLength: 64 })),
  canBePrimary: Type.Optional(Type.Boolean()),
});
const OneSchema = Type.Object({
  kind: Type.Union([Type.Literal('remove'), Type.Literal('promote'), Type.Literal('demote')]),
  id,
});
const PrioritySchema = Type.Object({ kind: Type.Literal('priority'), id, priority });
const RequestSchema = Type.Union([AddSchema, OneSchema, PrioritySchema]);

export type AddRequest = Static<typeof AddSchema>;
export type MemberRequest = Static<typeof RequestSchema>;

const StepSchema = Type.Object({
  /** Of whoever carries the change out, through all of its steps. */
  token: text,
  request: RequestSchema,
  /** The person knows that it lowers the safety of the cluster. */
  isConfirmed: Type.Boolean(),
  /** Only tell what would be done. */
  isDryRun: Type.Boolean(),
});
export type StepQuestion = Static<typeof StepSchema>;

const StepAnswerSchema = Type.Object({
  /** `handOver`: the member concerned is the primary and has to give its place away first. */
  state: Type.Union([Type.Literal('again'), Type.Literal('handOver'), Type.Literal('done')]),
  /** Steps that were carried out, in words. */
  steps: Type.Array(text),
  /** What is waited for, or what is the case now, in words. */
  phase: text,
  /** How far it has come, in words. */
  progress: Type.Optional(text),
  warnings: Type.Array(text),
  /** What is still to be done; a step may have added to it. */
  request: RequestSchema,
});
export type StepAnswer = Static<typeof StepAnswerSchema>;

const ajv = new Ajv();
const isStep = ajv.compile<StepQuestion>(StepSchema as TSchema);
const isStepAnswer = ajv.compile<StepAnswer>(StepAnswerSchema as TSchema);

/** @throws {MailraftError} `DATA_INVALID` */
export function stepQuestionOf(value: unknown): StepQuestion {
  if (isStep(value)) return value;
  throw new MailraftError(
    'DATA_INVALID',
    `no change of a member: ${ajv.errorsText(isStep.errors)}`,
  );
}

/** @throws {MailraftError} `DATA_INVALID` */
export function stepAnswerOf(value: unknown): StepAnswer {
  if (isStepAnswer(value)) return value;
  throw new MailraftError('DATA_INVALID', 'the leader answers in a way that is not understood');
}

/** For messages: `add mail4`. */
export function textOf(request: MemberRequest): string {
  const value = request.kind === 'priority' ? ` ${request.priority}` : '';
  return `${request.kind} ${request.id}${value}`;
}
