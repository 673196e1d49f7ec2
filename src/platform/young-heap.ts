/**
 * The space in which the engine makes new objects. By default it grows by tens of MiB
 * before anything in it is looked at, which saves time and costs memory.
 *
 * It never shrinks, so whoever is to stay small must begin small.
 */

import { setFlagsFromString } from 'node:v8';

/** Lets it grow, or keeps it as it is; threads that start later heed it as well. */
export function letYoungHeapGrow(isAllowed: boolean): void {
  setFlagsFromString(`--semi-space-growth-factor=${isAllowed ? 2 : 1}`);
  setFlagsFromString(`--max-semi-space-size=${isAllowed ? 16 : 1}`);
}
