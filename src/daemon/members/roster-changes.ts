/** What changed among the members, in words. Pure. */

import type { RosterMember } from './roster.ts';

export function rosterChanges(
  before: readonly RosterMember[],
  after: readonly RosterMember[],
): readonly string[] {
  const gone = before.filter(({ id }) => after.every((one) => one.id !== id));
  return [
    ...gone.map(({ id, standing }) => `${id} is no member any more: it was a ${standing}`),
    ...after.flatMap((member) =>
      changesOf(
        before.find(({ id }) => id === member.id),
        member,
      ),
    ),
  ];
}

function changesOf(before: RosterMember | undefined, after: RosterMember): string[] {
  const { id, standing } = after;
  if (before === undefined) return [`${id} is a member: a ${standing} at ${after.address}`];
  const texts: string[] = [];
  if (before.standing !== standing)
    texts.push(`${id} is a ${standing} now, it was a ${before.standing}`);
  if (before.address !== after.address) texts.push(`${id} is at ${after.address} now`);
  if (before.priority !== after.priority) texts.push(`${id} has priority ${after.priority} now`);
  return texts;
}
