/** What a change of the voters does to the failures that a group survives. Pure. */

export interface Votes {
  /** Who has a vote. */
  readonly voters: readonly string[];
  isLive(id: string): boolean;
}

export interface VoteSafety {
  /** Why it must not be done, whoever asks for it. */
  readonly obstacle: string | undefined;
  /** What it costs, so that a person has to mean it. */
  readonly loss: string | undefined;
  readonly warnings: readonly string[];
}

function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** How many of the live voters may still fail. */
function spareOf({ voters, isLive }: Votes): number {
  return voters.filter(isLive).length - majorityOf(voters.length);
}

/** @param after who would have a vote then */
export function voteSafety(before: Votes, after: readonly string[]): VoteSafety {
  const next = { voters: after, isLive: before.isLive };
  const live = after.filter(before.isLive).length;
  const needed = majorityOf(after.length);
  const dead = after.filter((id) => !before.isLive(id));
  const [spare, spareNext] = [spareOf(before), spareOf(next)];
  return {
    obstacle:
      after.length === 0
        ? 'nobody would have a vote any more'
        : live >= needed
          ? undefined
          : `${live} of then ${after.length} voters would be live, and ${needed} are needed: ` +
            `bring back ${dead.join(', ')} first`,
    loss:
      spareNext >= spare
        ? undefined
        : `of the voters that are live now ${failures(spareNext)} could fail then, instead of ${failures(spare)}`,
    warnings: warningsOf(after.length),
  };
}

function failures(spare: number): string {
  return spare <= 0 ? 'none' : String(spare);
}

function warningsOf(voters: number): string[] {
  if (voters === 1) return ['one voter fails over to nobody'];
  if (voters % 2 === 1) return [];
  return [
    `${voters} voters survive no more failures than ${voters - 1}: add one more, or take one away`,
  ];
}
