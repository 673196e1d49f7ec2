/**
 * Barriers: everything written before the call is committed when it returns (safety
 * rule 17). Any node takes the request; the primary carries it out.
 */

import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import { MailraftError } from '../errors.ts';
import { encodeDecree } from '../replication/command/codec.ts';
import type { Member } from './member.ts';
import type { Replication } from './replication-port.ts';

const BarrierAnswerSchema = Type.Object({
  /** Of the barrier's own entry: everything it covers comes before it. */
  index: Type.Integer({ minimum: 1 }),
  /** Members that have it and everything before it, the primary included. */
  copies: Type.Integer({ minimum: 1 }),
});
export type BarrierAnswer = Static<typeof BarrierAnswerSchema>;

const isBarrierAnswer = new Ajv().compile<BarrierAnswer>(BarrierAnswerSchema as TSchema);

/** The answer of the primary to a barrier that was passed on. */
export function barrierAnswerOf(value: unknown): BarrierAnswer {
  if (isBarrierAnswer(value)) return value;
  throw new MailraftError('DATA_INVALID', 'the primary answers in a way that is not understood');
}

/** What a primary may need to answer a barrier that was passed on. */
export const BARRIER_MS_MAX = 60_000;
const PATHS_SHOWN = 5;

/**
 * Carries a barrier out at the primary.
 *
 * @throws {MailraftError} `NOT_LEADER` when this node does not serve,
 *   `PRECONDITION_FAILED` when a file could not be covered, `TIMED_OUT` when the lead was
 *   lost meanwhile
 */
export async function barrierHere(
  member: Member,
  replication: Replication,
  id: number,
): Promise<BarrierAnswer> {
  if (!member.serves) {
    const { phase } = member.life;
    throw new MailraftError('NOT_LEADER', `this node does not serve: it is ${phase}`);
  }
  const { term } = member.host.standing;
  const { uncovered } = await replication.barrier();
  if (uncovered.length > 0) {
    const shown = uncovered.slice(0, PATHS_SHOWN).map((path) => JSON.stringify(path));
    const text = `${uncovered.length} paths are not covered: ${shown.join(', ')}`;
    throw new MailraftError('PRECONDITION_FAILED', text);
  }
  const placed = await member.proposals.decree(encodeDecree({ kind: 'barrier', id }));
  if (placed.term !== term) {
    throw new MailraftError('TIMED_OUT', 'the lead changed while the barrier was under way');
  }
  const { index } = placed;
  return { index, copies: member.fitness.copiesOf(index) };
}
