/** Lists the keys that the schema knows, for the reference and for tests. */

import type { TSchema } from '@sinclair/typebox';
import { ConfigSchema } from './schema.ts';

export interface SchemaKey {
  /** For instance `members[].role`. */
  readonly key: string;
  readonly schema: TSchema;
  /** Which variant of its mapping has it, for instance `driver: ip`; empty when all have. */
  readonly variant: string;
  readonly isRequired: boolean;
  /** Known, and refused until a later version honours it. */
  readonly isLater: boolean;
}

/** Every key, each after the mapping that it is in. A key of several variants stands once for each. */
export function schemaKeys(): SchemaKey[] {
  return keysOf(ConfigSchema, '');
}

function keysOf(schema: TSchema, prefix: string): SchemaKey[] {
  if (schema['items'] !== undefined) return keysOf(schema['items'], `${prefix}[]`);
  const branches: TSchema[] = schema['oneOf'] ?? [schema['then'] ?? schema];
  return branches.flatMap((branch) => keysOfMapping(branch, prefix));
}

function keysOfMapping(schema: TSchema, prefix: string): SchemaKey[] {
  const properties: Record<string, TSchema> = schema['properties'] ?? {};
  const required: readonly string[] = schema['required'] ?? [];
  const variant = variantOf(properties);
  return Object.entries(properties).flatMap(([name, part]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    const isLater = part['not'] !== undefined;
    const own = { key, schema: part, variant, isRequired: required.includes(name), isLater };
    return [own, ...keysOf(part, key)];
  });
}

function variantOf(properties: Readonly<Record<string, TSchema>>): string {
  const tag = Object.entries(properties).find(([, part]) => part['const'] !== undefined);
  return tag === undefined ? '' : `${tag[0]}: ${tag[1]['const']}`;
}
