/** Relations among the members, and between them and this node. */

import { type Finding, quote } from './fault.ts';
import { nearestWord } from './nearest-word.ts';
import type { RawConfig } from './schema.ts';

const VOTERS_MAX = 7;

export function memberFindings({ members }: Pick<RawConfig, 'members'>): Finding[] {
  return [
    ...duplicates(
      members.map(({ id }) => id),
      'id',
    ),
    ...duplicates(
      members.map(({ address }) => address.toLowerCase()),
      'address',
    ),
    ...voterFindings(members.filter(({ role }) => role !== 'learner').length),
    ...originFindings(members),
  ];
}

export function ownMemberFindings({ node, members }: RawConfig): Finding[] {
  const ids = members.map(({ id }) => id);
  if (ids.includes(node.id)) return [];
  const near = nearestWord(node.id, ids);
  return [
    {
      path: ['node', 'id'],
      found: quote(node.id),
      accepted: `the id of one of the members: ${ids.join(', ')}`,
      advice: near === undefined ? undefined : `did you mean ${quote(near)}?`,
    },
  ];
}

function duplicates(values: readonly string[], key: 'id' | 'address'): Finding[] {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    if (first === index) return [];
    const found = `${quote(value)}, which is that of members[${first}] too`;
    return [
      { path: ['members', index, key], found, accepted: `an ${key} that no other member has` },
    ];
  });
}

function voterFindings(voters: number): Finding[] {
  if (voters % 2 === 1 && voters <= VOTERS_MAX) return [];
  return [
    {
      path: ['members'],
      found: `${voters} voters`,
      accepted: 'an odd number of voters, 1, 3, 5 or 7',
      advice:
        voters > VOTERS_MAX
          ? 'more of them only make every change slower'
          : 'an even number survives no more failures than one fewer',
    },
  ];
}

function originFindings(members: RawConfig['members']): Finding[] {
  const origins = members.flatMap(({ origin }, index) => (origin ? [index] : []));
  const [first, ...others] = origins;
  const accepted = 'one member with origin: true, whose data the cluster starts from';
  if (first === undefined) {
    // Of one member there is no doubt.
    const isOnly = members.length === 1;
    return isOnly ? canBeOrigin(members, 0) : [{ path: ['members'], found: 'no origin', accepted }];
  }
  const extra = others.map((index) => ({
    path: ['members', index, 'origin'],
    found: `true, as in members[${first}]`,
    accepted,
  }));
  return [...extra, ...origins.flatMap((index) => canBeOrigin(members, index))];
}

function canBeOrigin(members: RawConfig['members'], index: number): Finding[] {
  const { role, canBePrimary } = members[index] ?? {};
  const found: Finding[] = [];
  if (role === 'learner') {
    const accepted = 'voter for the member with origin: true, which is the first primary';
    found.push({ path: ['members', index, 'role'], found: 'learner', accepted });
  }
  if (canBePrimary === false) {
    const accepted = 'true for the member with origin: true, which is the first primary';
    found.push({ path: ['members', index, 'canBePrimary'], found: 'false', accepted });
  }
  return found;
}
