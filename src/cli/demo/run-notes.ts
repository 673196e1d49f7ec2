/** What a run says while it goes on: each note is a line for people and an object for programs. */

export interface RunNote {
  /** Seconds since the run began. */
  readonly atS: number;
  readonly event: string;
  /** For people. */
  readonly text: string;
  /** For programs, beside `event` and `atS`. */
  readonly data: Readonly<Record<string, unknown>>;
}

export type TakeNote = (note: RunNote) => void;

/** Milliseconds as seconds with so many digits that tell something. */
export function seconds(ms: number, digits = 1): string {
  return (ms / 1_000).toFixed(digits);
}
