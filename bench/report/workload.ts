/** What every workload of the benches is given, and what it gives. */

export interface RunOptions {
  /** How often each figure is taken; the median counts. */
  readonly runs: number;
  /** Where data is written: a folder on the disk that is to be measured. */
  readonly folder: string;
  /** Says how far the work is. */
  tell(line: string): void;
}

/** One row of figures, an object on one line of `--json`. */
export type Figures = Readonly<Record<string, string | number | boolean | readonly number[]>>;

export interface Report {
  readonly figures: readonly Figures[];
  /** The same for people. */
  readonly lines: readonly string[];
  /** Promises that did not hold; figures that are merely bad are none. */
  readonly broken: readonly string[];
}

export interface Workload {
  readonly name: string;
  readonly about: string;
  run(options: RunOptions): Promise<Report>;
}

/** Takes turns, so that neither side always has the machine as the other left it. */
export function alternating<T>(sides: readonly T[], run: number): readonly T[] {
  return run % 2 === 0 ? sides : sides.toReversed();
}

/** A number as it is worth reading: three digits that mean something. */
export function shown(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}

/** For the last column of a table. */
export function ratioText(ratio: number): string {
  return `${ratio.toFixed(2)} x`;
}
