/**
 * Whether a node that introduces itself is listened to (safety rule 24), and what it is
 * told when it is not: the text ends up in its log and its status, so it says what is to
 * be done.
 */

import type { Hello } from '../../net/transport/hello.ts';
import type { RosterMember } from './roster.ts';
import type { SeenStates } from './seen-states.ts';

export interface AdmissionFacts {
  /** Empty before the cluster is founded. */
  readonly clusterId: string;
  readonly members: readonly RosterMember[];
  /** A leader is known here, so that the members known here are those of now. */
  readonly knowsLeader: boolean;
  readonly seen: Pick<SeenStates, 'isOlder'>;
}

export type Verdict =
  | { readonly kind: 'welcome' }
  /** `rolledBack`: its storage is an older state of itself, which it can not know. */
  | { readonly kind: 'refused' | 'rolledBack'; readonly reason: string };

const WELCOME: Verdict = { kind: 'welcome' };

/** What brings a data directory that is not the member's back into the cluster. */
export function addVerb(id: string): string {
  return `run \`mailraft member add ${id} HOST:PORT\` against the primary`;
}

/** @param hello of a node of the same cluster, or of none */
export function admit(hello: Hello, facts: AdmissionFacts): Verdict {
  const { from, incarnation } = hello;
  // Before the founding nobody is known by more than the name of the cluster.
  if (facts.clusterId === '') return WELCOME;
  const known = facts.members.find(({ id }) => id === from);
  const isNamed = known !== undefined && ['', incarnation].includes(known.incarnation);
  if (hello.clusterId === '') return isNamed ? WELCOME : strange(from, known, 'empty');
  if (facts.seen.isOlder(incarnation, hello)) {
    const reason =
      `the data directory of ${from} is an older state of itself, as of a restored copy: what it ` +
      `acknowledged since is not there. Empty it, start the node and ${addVerb(from)}`;
    return { kind: 'rolledBack', reason };
  }
  // Who is behind may not know the leader of now: it must be able to learn of it.
  if (isNamed || !facts.knowsLeader) return WELCOME;
  return strange(from, known, 'another');
}

function strange(
  from: string,
  known: RosterMember | undefined,
  directory: 'empty' | 'another',
): Verdict {
  const fault =
    known === undefined
      ? `${from} is no member of this cluster: it was not added, or it was removed`
      : `the data directory of ${from} is ${directory === 'empty' ? directory : 'not the one that it had'}, ` +
        `and the cluster knows ${from} as incarnation ${known.incarnation}`;
  const first = directory === 'empty' ? '' : 'empty its data directory, start it and ';
  return { kind: 'refused', reason: `${fault}: ${first}${addVerb(from)}` };
}
