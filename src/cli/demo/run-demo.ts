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

/** Ctrl-C, the usual order to end, and a terminal that was closed. */
const ENDING_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** 0 when everything that was promised held, else 1. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const interrupt = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    interrupt.abort(new MailraftError('PRECONDITION_FAILED', `ended by ${signal}`));
  };
  for (const each of ENDING_SIGNALS) process.on(each, stop);
  try {
    const { signal } = interrupt;
    return options.script
      ? await playScript(options, signal)
      : await interactiveRun({ ...options, signal, note: noteWriter(options) });
  } finally {
    for (const each of ENDING_SIGNALS) process.off(each, stop);
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
