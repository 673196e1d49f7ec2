/** One wrong configuration, and how a test shows that it is refused. */

import t from 'tap';
import { type Change, changed, type Place, place } from './sample.ts';

export interface Wrong {
  readonly name: string;
  readonly changes: readonly Change[];
  /** The key of each fault, and a part of its line in the file. */
  readonly faults: readonly {
    readonly on: string;
    readonly key: string;
    readonly found: string;
    readonly accepted: string;
  }[];
  /** Makes the machine wrong, where the file alone is not. */
  readonly prepare?: (place: Place) => void;
}

/** A case with one fault. */
export function wrong(
  name: string,
  changes: readonly Change[],
  fault: Wrong['faults'][number],
  prepare?: (place: Place) => void,
): Wrong {
  return { name, changes, faults: [fault], ...(prepare === undefined ? {} : { prepare }) };
}

/** `FOLDER` in a case stands for the folder of the configuration. */
export function refuses(group: string, cases: readonly Wrong[]): void {
  t.test(group, async (t) => {
    for (const { name, changes, faults, prepare } of cases) {
      t.test(name, async (t) => {
        const here = place(t);
        prepare?.(here);
        const text = changed(...changes).replaceAll('FOLDER', here.folder);
        const result = here.check(text);
        t.equal(result.config, undefined);
        t.same(
          result.faults.map(({ line, key, found, accepted }) => ({ line, key, found, accepted })),
          faults.map(({ on, key, found, accepted }) => ({
            line: text.split('\n').findIndex((line) => line.includes(on)) + 1,
            key,
            found: found.replaceAll('FOLDER', here.folder),
            accepted,
          })),
        );
        t.ok(result.faults.every(({ file }) => file === here.file));
      });
    }
  });
}
