/** A finished run for programs: one JSON object a line, the verdict last. Pure. */

import { promises } from './run-report.ts';
import { isGood, type RunResult } from './run-result.ts';

export function resultLines(result: RunResult): string {
  return objectsOf(result)
    .map((object) => `${JSON.stringify(object)}\n`)
    .join('');
}

function objectsOf(result: RunResult): object[] {
  const ok = isGood(result);
  if (result.kind === 'unfinished') {
    const { reason, standings, logTails } = result;
    return [{ event: 'result', ok, reason, standings, logTails }];
  }
  const { verdict, complaints, events, served, tookMs, ...figures } = result;
  const { kills: _, ...counts } = verdict.figures;
  return [
    ...served.map((span) => ({ event: 'served', ...span })),
    ...events.map(({ figures: kill, ...event }) => ({
      event: 'outage',
      ...event,
      ...counted(kill),
    })),
    ...promises().map(([promise]) => {
      const broken = verdict.broken.filter((each) => each.promise === promise);
      return {
        event: 'proof',
        promise,
        ok: broken.length === 0,
        broken: broken.map(({ text }) => text),
      };
    }),
    { event: 'result', ok, tookMs, complaints, ...counts, ...figures },
  ];
}

function counted(
  kill:
    | { readonly answered: number; readonly covered: number; readonly uncovered: number }
    | undefined,
): object {
  if (kill === undefined) return {};
  const { answered, covered, uncovered } = kill;
  return { answered, covered, uncovered };
}
