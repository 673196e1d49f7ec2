/**
 * Reads a YAML file and remembers on which line each value stands.
 *
 * Refused are files that say one thing twice, and files that are small to write
 * but large to hold: too long, nested too deeply, aliases of aliases.
 */

import { readFileSync, statSync } from 'node:fs';
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';
import { messageOf, systemCode } from '../errors.ts';
import type { Fault, KeyPath } from './fault.ts';

const FILE_BYTES_MAX = 1024 * 1024;
const ALIASES_MAX = 100;
/** More say nothing more: one slip spoils all that follows. */
const SYNTAX_FAULTS_MAX = 5;

export interface YamlFile {
  readonly value: unknown;
  /** The line of a value's key, or of what comes closest when it is absent. */
  lineOf(path: KeyPath): number;
  /** Whether the file itself names this key. */
  has(path: KeyPath): boolean;
}

export type YamlResult =
  | { readonly kind: 'read'; readonly yaml: YamlFile }
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[] };

interface Source {
  readonly file: string;
  readonly text: string;
  readonly document: Document.Parsed;
  lineAt(offset: number): number;
}

export function readYamlFile(file: string): YamlResult {
  const text = readText(file);
  if (typeof text !== 'string') return faulty([text]);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const source = { file, text, document, lineAt };
  const faults = [...syntaxFaults(source), ...aliasFaults(source)];
  if (faults.length > 0) return faulty(faults.slice(0, SYNTAX_FAULTS_MAX));
  const place = (path: KeyPath) => placeOf(document, path);
  return {
    kind: 'read',
    yaml: {
      value: document.toJS(),
      lineOf: (path) => lineAt(place(path).offset),
      has: (path) => place(path).isComplete,
    },
  };
}

function faulty(faults: readonly Fault[]): YamlResult {
  return { kind: 'faulty', faults };
}

function readText(file: string): string | Fault {
  const fault = (found: string, advice?: string): Fault => {
    const accepted = `a YAML file of at most ${FILE_BYTES_MAX} bytes`;
    return { file, line: 1, key: '', found, accepted, advice };
  };
  try {
    const stat = statSync(file);
    if (!stat.isFile()) return fault('something else than a file');
    if (stat.size > FILE_BYTES_MAX) return fault(`${stat.size} bytes`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return fault('no such file', 'name the file with --config');
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return fault('text that is not UTF-8');
    if (code !== undefined) return fault(`a file that can not be read: ${messageOf(error)}`);
    throw error;
  }
}

function syntaxFaults({ file, text, document, lineAt }: Source): Fault[] {
  // A warning is a tag that nobody knows: its value would not be what it says.
  return [...document.errors, ...document.warnings].map(({ code, message, pos }) => {
    const line = lineAt(pos[0]);
    if (code === 'DUPLICATE_KEY') {
      const key = /^[\w-]+/.exec(text.slice(pos[0]))?.[0] ?? '';
      return { file, line, key, found: 'the key a second time', accepted: 'each key once' };
    }
    const found = `no valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
    return { file, line, key: '', found, accepted: 'one YAML document' };
  });
}

/** Aliases of single values only: they neither multiply what they name nor name themselves. */
function aliasFaults({ file, document, lineAt }: Source): Fault[] {
  const faults: Fault[] = [];
  let count = 0;
  visit(document, {
    Alias: (_, alias) => {
      count += 1;
      const line = lineAt(alias.range?.[0] ?? 0);
      const found = `the alias ${JSON.stringify(alias.source)}`;
      const refuse = (accepted: string) =>
        void faults.push({ file, line, key: '', found, accepted });
      const target = alias.resolve(document);
      if (target === undefined) refuse('aliases of anchors that stand before them');
      else if (!isScalar(target)) refuse('aliases of single values');
      else if (count > ALIASES_MAX) refuse(`at most ${ALIASES_MAX} aliases`);
    },
  });
  return faults;
}

interface Place {
  readonly offset: number;
  readonly isComplete: boolean;
}

function placeOf(document: Document.Parsed, path: KeyPath): Place {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const step of path) {
    const next = stepInto(node, step);
    if (next === undefined) return { offset, isComplete: false };
    offset = next.offset ?? offset;
    node = next.node;
  }
  return { offset, isComplete: true };
}

function stepInto(
  node: unknown,
  step: string | number,
): { readonly node: unknown; readonly offset: number | undefined } | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step];
    if (item === undefined) return undefined;
    return { node: item, offset: isNode(item) ? item.range?.[0] : undefined };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  if (pair === undefined) return undefined;
  return { node: pair.value, offset: isScalar(pair.key) ? pair.key.range?.[0] : undefined };
}
