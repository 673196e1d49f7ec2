/**
 * The arguments of directives as values. What a directive does not know is a fault of the
 * transcript, not something to pass over.
 */

import type { NodeId } from '../../src/consensus/core/types.ts';
import { nodeId } from './node-ids.ts';
import type { Argument, Case } from './transcript.ts';

/** A directive that cannot be carried out as it is written. */
export class DirectiveError extends Error {}

/** An argument `key=value`, once for each value. */
export interface Option {
  readonly key: string;
  readonly value: string;
}

/** The bare words of a directive. */
export function wordsOf({ args }: Case): readonly string[] {
  return args.filter(({ values }) => values.length === 0).map(({ key }) => key);
}

/** The arguments with values, one item a value, in their order. */
export function optionsOf({ args }: Case): readonly Option[] {
  return args.flatMap(({ key, values }) => values.map((value) => ({ key, value })));
}

/** The bare words as nodes. */
export function nodesOf(directive: Case): readonly NodeId[] {
  return wordsOf(directive).map(toNode);
}

/** The word at `at`, as a number. */
export function numberAt({ args, text }: Case, at: number): number {
  const arg = args[at];
  if (arg === undefined || arg.values.length > 0) {
    throw new DirectiveError(`argument ${at + 1} is to be a bare number: ${text}`);
  }
  return toNumber(arg.key);
}

/** The node that a directive is about, which stands first. */
export function firstNode(directive: Case): NodeId {
  return toNode(String(numberAt(directive, 0)));
}

/** The one value of a key that must be there. */
export function theValueOf({ args, text }: Case, key: string): string {
  const arg = args.find((candidate: Argument) => candidate.key === key);
  if (arg?.values.length !== 1) throw new DirectiveError(`needs one ${key}=VALUE: ${text}`);
  return arg.values[0] as string;
}

export function toNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new DirectiveError(`"${text}" is no number`);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new DirectiveError(`${text} is beyond 2^53`);
  return value;
}

export function toNode(text: string): NodeId {
  if (!/^\d+$/.test(text)) throw new DirectiveError(`"${text}" is no node`);
  return nodeId(text);
}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

export function toBoolean(text: string): boolean {
  if (TRUE.includes(text)) return true;
  if (FALSE.includes(text)) return false;
  throw new DirectiveError(`"${text}" is neither true nor false`);
}
