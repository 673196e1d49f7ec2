/** The documents that are made from the schema are as the schema is. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import t from 'tap';
import { parse } from 'yaml';
import { configurationSchema } from '../../src/config/json-schema.ts';
import { configurationReference } from '../../src/config/reference.ts';
import { schemaFindings } from '../../src/config/schema-faults.ts';
import { schemaKeys } from '../../src/config/schema-keys.ts';
import { projectRoot } from '../lab/project-files.ts';
import { SAMPLE } from './sample.ts';

const documentOf = (name: string) => readFileSync(join(projectRoot, 'docs', name), 'utf8');

t.test('the schema for editors is the schema of the program', async (t) => {
  t.same(JSON.parse(documentOf('configuration.schema.json')), configurationSchema());
});

t.test('an editor that knows JSON Schema alone judges by it', async (t) => {
  const isRight = new Ajv({ strict: false }).compile(configurationSchema() as object);
  const judge = (from: string, to: string) => isRight(parse(SAMPLE.replace(from, to)));
  t.ok(judge('', ''));
  t.ok(judge('timing: fast', 'timing: { lease: 4s }'));
  t.notOk(judge('timing: fast', 'timing: quick'));
  t.notOk(judge('stopBudget: 200ms', 'stopBudget: 200'));
  t.notOk(judge('cluster: example', 'cluster: example\ncommit: { minCopies: 2 }'));
  t.notOk(judge('driver: ip', 'driver: dns'));
});

t.test('the reference is what the schema says', async (t) => {
  t.equal(documentOf('configuration.md'), configurationReference());
});

t.test('every key is described, with what is accepted', async (t) => {
  const reference = configurationReference();
  for (const { key, schema } of schemaKeys()) {
    t.ok(reference.includes(`\`${key}\``), key);
    t.match(schema['description'], /.+\.$/, key);
    t.match(schema['accepted'], /.+/, key);
  }
});

t.test('the example of the reference fits the schema', async (t) => {
  const [, example = ''] = /```yaml\n([^`]+)```/.exec(configurationReference()) ?? [];
  t.same(schemaFindings(parse(example)), []);
});
