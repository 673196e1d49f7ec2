/** No key is accepted and ignored: each has a test that shows what it does, or is refused. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { schemaKeys } from '../../src/config/schema-keys.ts';
import { projectRoot } from '../lab/project-files.ts';
import { KEY_EFFECTS } from './key-effects.ts';

const textOf = (file: string) => readFileSync(join(projectRoot, 'test', file), 'utf8');
const keys = schemaKeys();

t.test('every key of this version names the tests of its effect', async (t) => {
  const present = new Set(keys.filter(({ isLater }) => !isLater).map(({ key }) => key));
  t.same(Object.keys(KEY_EFFECTS).sort(), [...present].sort());
});

t.test('the tests that are named exist', async (t) => {
  for (const [key, effects] of Object.entries(KEY_EFFECTS)) {
    t.ok(effects.length > 0, key);
    for (const { file, text } of effects) {
      t.ok(textOf(file).includes(text), `${key}: ${JSON.stringify(text)} in ${file}`);
    }
  }
});

t.test('every key of a later version is refused by a test', async (t) => {
  const refused = textOf('config/wrong-shapes.test.ts').replaceAll(/\[[0-9]+\]/g, '[]');
  for (const { key, isLater } of keys) if (isLater) t.ok(refused.includes(`['${key}',`), key);
});

t.test('every value of a later version is refused by a test', async (t) => {
  const refused = textOf('config/wrong-shapes.test.ts');
  for (const { key, schema } of keys) {
    const later: readonly string[] = [
      ...(schema['later'] ?? []),
      ...(schema['items']?.['later'] ?? []),
    ];
    for (const value of later) t.ok(new RegExp(`\\b${value}\\b`).test(refused), `${key}: ${value}`);
  }
});
