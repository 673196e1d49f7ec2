/**
 * The demo as the command line starts it: the scripted run with its proof, or a cluster
 * to play with. Resolves with the exit code.
 */

import { MailraftError } from '../../errors.ts';
import { interactiveRun } from './interactive-run.ts';
import { resultLines } from './run-json.ts';
import type { RunNote } from './run-notes.ts';
import { reportText } from './run-report.ts';
import { isGood } from './run-result.ts';
import { scriptedRun } from './scripted-run.ts';

export interface DemoOptions {
  /** Plays the script and ends; otherwise runs until a person ends it. */
  readonly script: boolean;
  /** Of the messages; the same seed sends the same mail. */
  readonly seed: number;
  /** One JSON object a line instead of text for people. */
  readonly json: boolean;
  /** Leaves the folder with configurations, logs and mail in place. */
  readonly keep: boolean;
}

/** 0 when everything that was promised held, else 1. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const interrupt = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    interrupt.abort(new MailraftError('PRECONDITION_FAILED', `ended by ${signal}`));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    const { signal } = interrupt;
    return options.script
      ? await playScript(options, signal)
      : await interactiveRun({ ...options, signal, note: noteWriter(options) });
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

async function playScript(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const { seed, json, keep } = options;
  const note = noteWriter(options);
  note({ atS: 0, event: 'demo', text: `mailraft demo, seed ${seed}`, data: { seed } });
  const result = await scriptedRun({ seed, keep, signal, note });
  process.stdout.write(json ? resultLines(result) : reportText(result));
  return isGood(result) ? 0 : 1;
}

function noteWriter({ json }: DemoOptions): (note: RunNote) => void {
  return ({ atS, event, text, data }) => {
    const line = json
      ? JSON.stringify({ event, atS, ...data })
      : `${atS.toFixed(1).padStart(6)} s  ${text}`;
    process.stdout.write(`${line}\n`);
  };
}
