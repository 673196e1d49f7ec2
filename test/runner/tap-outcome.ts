/**
 * What a stream of TAP says, counted in tests: a test is a named block that asserts
 * something itself. A block that only holds others is no test, a skipped one is
 * named with its reason, and one that asserts nothing has failed.
 */

import { type FinalResults, Parser, type Result } from 'tap-parser';
import { stringify } from 'yaml';

export interface Failure {
  readonly name: string;
  /** The assertions that failed, with their diagnostics. */
  readonly text: string;
}

export interface Skip {
  readonly name: string;
  readonly reason: string;
}

export interface Outcome {
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly skips: readonly Skip[];
  /** What the tests had to say, a line each. */
  readonly comments: readonly string[];
}

/** Takes TAP as it comes; `end()` tells the outcome. */
export class TapOutcome {
  readonly #parser = new Parser();
  readonly #failures: Failure[] = [];
  readonly #skips: Skip[] = [];
  readonly #comments: string[] = [];
  #passed = 0;

  constructor() {
    this.#watch(this.#parser, []);
    this.#parser.on('bailout', (reason: string) => this.#fail('bail out', [reason]));
  }

  write(chunk: string): void {
    this.#parser.write(chunk);
  }

  end(): Outcome {
    this.#parser.end();
    const [failures, skips] = [this.#failures, this.#skips];
    return { passed: this.#passed, failures, skips, comments: this.#comments };
  }

  #watch(parser: Parser, path: readonly string[]): void {
    const points: Result[] = [];
    let children = 0;
    let isChildOk = true;
    parser.on('child', (child: Parser) => {
      children += 1;
      this.#watch(child, [...path, child.name]);
      child.on('complete', (results: FinalResults) => {
        isChildOk = results.ok;
      });
    });
    parser.on('assert', (point: Result) => {
      // The line that closes a block repeats what the block said, unless it alone complains.
      if (!point.closingTestPoint || (!point.ok && isChildOk)) points.push(point);
    });
    parser.on('comment', (line: string) => this.#comment(line));
    parser.on('complete', (results: FinalResults) => {
      // The parser invents a plan for a stream that has none.
      const reason = parser.syntheticPlan ? '' : parser.planComment;
      this.#count(path, { points, children, results, reason });
    });
  }

  #count(
    path: readonly string[],
    block: {
      readonly points: readonly Result[];
      readonly children: number;
      readonly results: FinalResults;
      /** What stands behind the plan: why all of it was skipped. */
      readonly reason: string;
    },
  ): void {
    const { points, children, results, reason } = block;
    const name = path.join(' > ') || 'the file itself';
    const skipped = points.filter(isSkipped);
    for (const point of skipped) {
      this.#skips.push({ name: [...path, point.name].join(' > '), reason: reasonOf(point) });
    }
    const bad = points.filter((point) => !point.ok && !isSkipped(point)).map(describe);
    const broken = results.failures.flatMap((failure) =>
      'tapError' in failure && failure.tapError ? [`TAP: ${failure.tapError}`] : [],
    );
    if (bad.length + broken.length > 0) this.#fail(name, [...bad, ...broken]);
    else if (points.length > skipped.length) this.#passed += 1;
    else if (points.length + children > 0) return;
    else if (reason === '') this.#fail(name, ['it asserts nothing']);
    else this.#skips.push({ name, reason });
  }

  #fail(name: string, texts: readonly string[]): void {
    this.#failures.push({ name, text: texts.join('\n') });
  }

  #comment(line: string): void {
    const text = line.replace(/^\s*#\s*/, '').trimEnd();
    if (text !== '' && !/^(Subtest|time=|\{ total|failed )/.test(text)) this.#comments.push(text);
  }
}

function isSkipped({ skip, todo }: Result): boolean {
  return skip !== false || todo !== false;
}

function reasonOf({ skip, todo }: Result): string {
  if (typeof skip === 'string' && skip !== '') return skip;
  if (todo !== false) return `still to be done: ${todo}`;
  return 'no reason given';
}

function describe({ name, diag }: Result): string {
  return diag ? `${name}\n${stringify(diag).trimEnd()}` : name;
}
