/**
 * Holds a file's values against the schema, and says in plain words what does not fit.
 *
 * Beyond JSON Schema it knows the units and addresses, and tells what a later version
 * accepts from what no version does.
 */

import { Ajv, type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv';
import { isWildcard, parseEndpoint, parseSubnet } from './endpoint.ts';
import { describeValue, type Finding, type KeyPath, quote } from './fault.ts';
import { nearestWord } from './nearest-word.ts';
import { ConfigSchema, type RawConfig } from './schema.ts';
import { ANNOTATIONS, acceptedKeys, type Range } from './schema-parts.ts';
import { parseDuration, parseSize } from './units.ts';

const LATER = 'which is not in this version';

/** Puts the defaults in place, and returns what the schema does not accept, each place once. */
export function schemaFindings(value: unknown): Finding[] {
  if (validate(value)) return [];
  const byPlace = new Map<string, Finding>();
  for (const error of validate.errors ?? []) {
    const finding = findingOf(error);
    if (finding === undefined) continue;
    const place = JSON.stringify(finding.path);
    if (!byPlace.has(place)) byPlace.set(place, finding);
  }
  return [...byPlace.values()];
}

const validate: ValidateFunction<RawConfig> = makeValidator();

function makeValidator(): ValidateFunction<RawConfig> {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    discriminator: true,
    strictTypes: false,
  });
  ajv.addVocabulary([...ANNOTATIONS]);
  const keyword = <T>(name: string, accepts: (option: T, text: string) => boolean) =>
    ajv.addKeyword({ keyword: name, type: 'string', errors: false, validate: accepts });
  keyword('duration', (range: Range, text) => isWithin(range, parseDuration(text)));
  keyword('size', (range: Range, text) => isWithin(range, parseSize(text)));
  keyword('subnet', (_: true, text) => parseSubnet(text) !== undefined);
  keyword('endpoint', (option: { readonly isWildcardAllowed: boolean }, text) => {
    const endpoint = parseEndpoint(text);
    return endpoint !== undefined && (option.isWildcardAllowed || !isWildcard(endpoint));
  });
  return ajv.compile<RawConfig>(ConfigSchema);
}

function isWithin({ min, max }: Range, value: number | undefined): boolean {
  return value !== undefined && value >= min && value <= max;
}

function findingOf(error: ErrorObject): Finding | undefined {
  const path = pathOf(error.instancePath);
  const schema = error.parentSchema ?? {};
  const accepted = String(schema['accepted']);
  switch (error.keyword) {
    // Says that a branch failed, which its own errors say better.
    case 'if':
      return undefined;
    case 'additionalProperties':
      return unknownKey(path, error);
    case 'required':
      return missingKey(path, error);
    case 'not':
      return { path, found: 'a key that is not in this version', accepted };
    case 'discriminator':
      return wrongVariant(path, error);
    default:
      return { path, found: foundValue(error.data, schema['later']), accepted };
  }
}

function unknownKey(path: KeyPath, { params, parentSchema }: ErrorObject): Finding {
  const name = String(params['additionalProperty']);
  const known = acceptedKeys(parentSchema?.['properties'] ?? {});
  const near = nearestWord(name, known);
  const advice = near === undefined ? undefined : `did you mean ${quote(near)}?`;
  const accepted = `the keys ${known.join(', ')}`;
  return { path: [...path, name], found: 'an unknown key', accepted, advice };
}

function missingKey(path: KeyPath, { params, parentSchema }: ErrorObject): Finding {
  const name = String(params['missingProperty']);
  return { path: [...path, name], found: 'nothing', accepted: acceptedAt(parentSchema, name) };
}

/** The key that tells the variants apart names none of them. */
function wrongVariant(path: KeyPath, { params, parentSchema }: ErrorObject): Finding {
  const name = String(params['tag']);
  const found = foundValue(params['tagValue'], parentSchema?.['later']);
  return { path: [...path, name], found, accepted: acceptedAt(parentSchema, name) };
}

/** What is accepted for a key of a mapping, or of all its variants. */
function acceptedAt(schema: AnySchemaObject | undefined, name: string): string {
  const branches: AnySchemaObject[] = schema?.['oneOf'] ?? [schema];
  return branches.map((branch) => branch['properties'][name]['accepted']).join(' or ');
}

function foundValue(value: unknown, later: unknown): string {
  const word = wordOf(value);
  if (!Array.isArray(later) || !later.includes(word)) return describeValue(value);
  return `${isMapping(value) ? `a mapping with ${word}` : describeValue(value)}, ${LATER}`;
}

/** What a value goes by: itself, or the first key of a mapping. */
function wordOf(value: unknown): string {
  return String(isMapping(value) ? Object.keys(value)[0] : value);
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The steps of a JSON pointer; those of digits lead into lists, for no key is a number. */
function pathOf(pointer: string): KeyPath {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^[0-9]+$/.test(step) ? Number(step) : step));
}
