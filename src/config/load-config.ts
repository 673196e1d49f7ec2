/**
 * Reads a configuration file: schema first, then the relations between its keys and
 * with this machine, then what is derived. All faults are reported at once; a file
 * with a fault yields no configuration.
 */

import { dirname, resolve } from 'node:path';
import { MailraftError } from '../errors.ts';
import { buildConfig } from './build-config.ts';
import { memberFindings, ownMemberFindings } from './check-members.ts';
import { listenerFindings, plaintextFindings, sharedAddressFindings } from './check-network.ts';
import {
  apartFindings,
  dataDirFindings,
  secretFindings,
  tokenFileFindings,
  volumeFindings,
} from './check-places.ts';
import { serviceFindings } from './check-service.ts';
import { timingFindings } from './check-timing.ts';
import { tlsFindings } from './check-tls.ts';
import { ownPartFindings, witnessFindings } from './check-witness.ts';
import type { Config } from './config.ts';
import { type Fault, type Finding, formatFault, formatKey } from './fault.ts';
import type { RawConfig } from './schema.ts';
import { schemaFindings } from './schema-faults.ts';
import { warningsOf } from './warnings.ts';
import { readYamlFile, type YamlFile } from './yaml-file.ts';

export interface CheckedConfig {
  /** Undefined when there is any fault. */
  readonly config: Config | undefined;
  /** By rising line. */
  readonly faults: readonly Fault[];
}

interface Relation {
  /** Parts of the file that must fit the schema before the relation can be looked at. */
  readonly reads: readonly (keyof RawConfig)[];
  find(raw: RawConfig, folder: string): readonly Finding[];
}

const RELATIONS: readonly Relation[] = [
  { reads: ['members'], find: memberFindings },
  { reads: ['members', 'node'], find: ownMemberFindings },
  { reads: ['members'], find: witnessFindings },
  { reads: ['members', 'node', 'volumes', 'service', 'address'], find: ownPartFindings },
  { reads: ['members', 'node', 'peers'], find: plaintextFindings },
  { reads: ['members', 'address'], find: sharedAddressFindings },
  { reads: ['members', 'node', 'peers', 'http', 'address'], find: listenerFindings },
  { reads: ['volumes'], find: volumeFindings },
  { reads: ['node'], find: dataDirFindings },
  { reads: ['node', 'volumes'], find: apartFindings },
  { reads: ['node', 'http'], find: tokenFileFindings },
  { reads: ['http', 'peers', 'volumes'], find: secretFindings },
  { reads: ['node', 'peers'], find: tlsFindings },
  { reads: ['service'], find: serviceFindings },
  { reads: ['service', 'timing'], find: timingFindings },
];

/** Throws `CONFIG_INVALID` with all faults of the file, one a line. */
export function loadConfig(file: string): Config {
  const { config, faults } = checkConfig(file);
  if (config !== undefined) return config;
  throw new MailraftError('CONFIG_INVALID', faults.map(formatFault).join('\n'));
}

export function checkConfig(file: string): CheckedConfig {
  const result = readYamlFile(file);
  if (result.kind === 'faulty') return { config: undefined, faults: result.faults };
  const { yaml } = result;
  const folder = dirname(resolve(file));
  const findings = findingsOf(yaml.value, folder);
  if (findings.length > 0) return { config: undefined, faults: placed(findings, file, yaml) };
  const config = buildConfig(yaml.value as RawConfig, file, folder);
  return { config: { ...config, warnings: warningsOf(config) }, faults: [] };
}

/** The value is what `RawConfig` says only where the schema found nothing. */
function findingsOf(value: unknown, folder: string): readonly Finding[] {
  const ofSchema = schemaFindings(value);
  if (ofSchema.some(({ path }) => path.length === 0)) return ofSchema;
  const spoilt = new Set<unknown>(ofSchema.map(({ path }) => path[0]));
  const sound = RELATIONS.filter(({ reads }) => !reads.some((key) => spoilt.has(key)));
  return [...ofSchema, ...sound.flatMap(({ find }) => find(value as RawConfig, folder))];
}

function placed(findings: readonly Finding[], file: string, yaml: YamlFile): Fault[] {
  return findings
    .map(({ path, ...finding }) => ({
      file,
      line: yaml.lineOf(path),
      key: formatKey(path),
      ...finding,
    }))
    .sort((one, other) => one.line - other.line);
}
