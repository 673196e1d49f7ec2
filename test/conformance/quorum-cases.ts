/**
 * Cases of quorum arithmetic: which index majorities have reached, and who won a vote.
 * Each is also asked in forms that must give the same; where one does not, it is printed.
 */

import { membershipOf } from '../../src/consensus/core/membership/membership.ts';
import { groupsReached } from '../../src/consensus/core/quorum/groups.ts';
import { quorumReached, quorumVote } from '../../src/consensus/core/quorum/joint.ts';
import { majorityReached, type VoteResult } from '../../src/consensus/core/quorum/majority.ts';
import type { Membership, NodeId } from '../../src/consensus/core/types.ts';
import { DirectiveError, optionsOf, toNode, toNumber } from './arguments.ts';
import { barChart } from './bar-chart.ts';
import { decimal } from './node-ids.ts';
import type { Case } from './transcript.ts';
import { RefusedError } from './transcript-storage.ts';

const UNKNOWN = '_';

/** Votes as they are printed where there are too many or too few. */
const VOTE_NUMBERS: Readonly<Record<string, string>> = { [UNKNOWN]: '0', n: '1', y: '2' };

const VOTE_RESULTS: Readonly<Record<VoteResult, string>> = {
  won: 'VoteWon',
  lost: 'VoteLost',
  pending: 'VotePending',
};

/** Two sets of voters, and what is known of each voter, in the order of their naming. */
interface Question {
  readonly incoming: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  /** Whether a second set was named, be it empty. */
  readonly isJoint: boolean;
  /** Every voter once. */
  readonly voters: readonly NodeId[];
  valuesOf(key: string): ReadonlyMap<NodeId, string>;
}

type Reached = ReadonlyMap<NodeId, number>;

const ANSWERS: Readonly<Record<string, (question: Question) => readonly string[]>> = {
  committed: answerCommitted,
  vote: answerVote,
  group_committed: answerGroupCommitted,
};

export const QUORUM_VERBS: readonly string[] = Object.keys(ANSWERS);

/** Answers cases of which none depends on another. */
export function quorumCases(): (directive: Case) => readonly string[] {
  return (directive) => {
    const answer = ANSWERS[directive.verb];
    if (answer === undefined) throw new DirectiveError(`no case is called ${directive.verb}`);
    try {
      return answer(questionOf(directive));
    } catch (caught) {
      if (caught instanceof RefusedError) return [caught.message];
      throw caught;
    }
  };
}

function questionOf(directive: Case): Question {
  const options = optionsOf(directive);
  for (const { key } of options) {
    if (!['cfg', 'cfgj', 'idx', 'votes', 'gid'].includes(key)) {
      throw new DirectiveError(`no case has an argument ${key}`);
    }
  }
  const all = (key: string) => options.filter((option) => option.key === key);
  const nodes = (key: string) => [...new Set(all(key).map(({ value }) => toNode(value)))];
  const isJoint = all('cfgj').length > 0;
  const isZero = all('cfgj').some(({ value }) => value === 'zero');
  const [incoming, outgoing] = [nodes('cfg'), isZero ? [] : nodes('cfgj')];
  const voters = [...new Set([...incoming, ...outgoing])];
  const valuesOf = (key: string) => {
    const values = all(key).map(({ value }) => value);
    if (values.length !== voters.length) throw mismatch(voters, values);
    return new Map(voters.map((id, at) => [id, values[at] as string]));
  };
  return { incoming, outgoing, isJoint, voters, valuesOf };
}

/** What is printed when there are not as many values as voters. */
function mismatch(voters: readonly NodeId[], values: readonly string[]): RefusedError {
  const names = [...voters].sort().map((id) => `${decimal(id)}:{}`);
  const numbers = values.map((value) => VOTE_NUMBERS[value] ?? value);
  const what = `for voters map[${names.join(' ')}]: [${numbers.join(' ')}]`;
  return new RefusedError(`error: mismatched input (explicit or _) ${what}`);
}

function numbersOf(values: ReadonlyMap<NodeId, string>): Reached {
  const known = [...values].filter(([, value]) => value !== UNKNOWN);
  return new Map(known.map(([id, value]) => [id, toNumber(value)]));
}

function answerCommitted(question: Question): readonly string[] {
  const { incoming, outgoing, isJoint, voters } = question;
  const reached = numbersOf(question.valuesOf('idx'));
  const index = committed(incoming, outgoing, reached);
  const others = isJoint
    ? [{ index: committed(outgoing, incoming, reached), via: 'via symmetry' }]
    : sameForOneSet(incoming, reached, index);
  const differing = others
    .filter((other) => other.index !== index)
    .map((other) => `${infinite(other.index)} <-- ${other.via}`);
  const chart = barChart(voters, reached);
  // Nothing of a chart is a line of its own: what follows stands behind it.
  if (voters.length === 0) return [`${chart.join('')}${infinite(index)}`, ...differing];
  return [...chart, ...differing, infinite(index)];
}

interface OtherForm {
  readonly index: number;
  readonly via: string;
}

/** One set alone, joint with nothing, joint with itself; and with what is above it lowered. */
function sameForOneSet(
  voters: readonly NodeId[],
  reached: Reached,
  index: number,
): readonly OtherForm[] {
  const lowered = [...reached].filter(([, value]) => index > value && value > 0);
  return [
    { index: majorityReached(voters, lookUp(reached)), via: 'via alternative computation' },
    { index: committed([], voters, reached), via: 'via zero-joint quorum' },
    { index: committed(voters, voters, reached), via: 'via self-joint quorum' },
    ...lowered.flatMap(([id, value]) =>
      [value - 1, 0].map((to) => ({
        index: committed(voters, [], new Map(reached).set(id, to)),
        via: `overlaying ${decimal(id)}->${to}`,
      })),
    ),
  ];
}

function answerVote({ incoming, outgoing, isJoint, valuesOf }: Question): readonly string[] {
  const votes = new Map<NodeId, boolean>();
  for (const [id, value] of valuesOf('votes')) {
    if (!['y', 'n', UNKNOWN].includes(value)) throw new DirectiveError(`"${value}" is no vote`);
    if (value !== UNKNOWN) votes.set(id, value === 'y');
  }
  const result = quorumVote(joint(incoming, outgoing), votes);
  const swapped = quorumVote(joint(outgoing, incoming), votes);
  const isSame = !isJoint || swapped === result;
  return [...(isSame ? [] : [`${VOTE_RESULTS[swapped]} <-- via symmetry`]), VOTE_RESULTS[result]];
}

/** What is committed where it must have reached two groups of voters. */
function answerGroupCommitted({ incoming, outgoing, valuesOf }: Question): readonly string[] {
  const reached = lookUp(numbersOf(valuesOf('idx')));
  const groups = numbersOf(valuesOf('gid'));
  const groupOf = (id: NodeId) => groups.get(id)?.toString();
  const index = groupsReached(joint(incoming, outgoing), reached, groupOf);
  const swapped = groupsReached(joint(outgoing, incoming), reached, groupOf);
  const isSame = swapped === index;
  return [...(isSame ? [] : [`${infinite(swapped)} <-- via symmetry`]), infinite(index)];
}

function committed(
  incoming: readonly NodeId[],
  outgoing: readonly NodeId[],
  reached: Reached,
): number {
  return quorumReached(joint(incoming, outgoing), lookUp(reached));
}

function joint(voters: readonly NodeId[], outgoing: readonly NodeId[]): Membership {
  return membershipOf({ voters, outgoing });
}

function lookUp(reached: Reached): (id: NodeId) => number {
  return (id) => reached.get(id) ?? 0;
}

function infinite(index: number): string {
  return Number.isFinite(index) ? String(index) : '∞';
}
