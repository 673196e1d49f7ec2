/** Volumes, the data directory and secrets: what is there, and what may lie in what. */

import { dirname, resolve } from 'node:path';
import { type Finding, type KeyPath, quote } from './fault.ts';
import { folderProblem, isWithin, kindOf, overlap, realPlace } from './places.ts';
import { tokenFileOf } from './raw-values.ts';
import type { RawConfig } from './schema.ts';

export function volumeFindings({ volumes }: RawConfig, folder: string): Finding[] {
  const places = placesOf(volumes, folder);
  return volumes.flatMap(({ name, path }, index) => {
    const findings: Finding[] = [];
    const add = (key: string, found: string, accepted: string) =>
      findings.push({ path: ['volumes', index, key], found, accepted });
    const twin = volumes.findIndex((other) => other.name === name);
    if (twin !== index) {
      const found = `${quote(name)}, which is that of volumes[${twin}] too`;
      add('name', found, 'a name that no other volume has');
    }
    const place = places[index] ?? '';
    const problem = folderProblem(place);
    if (problem !== undefined) add('path', `${quote(path)}, ${problem}`, 'a folder that exists');
    for (const [other, otherPlace] of places.slice(0, index).entries()) {
      const relation = overlap(place, otherPlace);
      if (relation === undefined) continue;
      const found = `${quote(path)}, ${relation} volumes[${other}]`;
      add('path', found, 'a folder apart from all other volumes');
    }
    return findings;
  });
}

export function dataDirFindings({ node }: RawConfig, folder: string): Finding[] {
  const place = realPlace(resolve(folder, node.dataDir));
  const accepted = 'a folder, or a place for one in a folder that exists';
  const fault = (found: string): Finding[] => [{ path: ['node', 'dataDir'], found, accepted }];
  const kind = kindOf(place);
  if (kind === 'folder') return [];
  if (kind !== 'nothing') return fault(`${quote(node.dataDir)}, ${folderProblem(place)}`);
  const problem = folderProblem(dirname(place));
  return problem === undefined ? [] : fault(`${quote(dirname(place))}, ${problem}`);
}

/** What mailraft itself writes must not be replicated, and no volume may hold the journal. */
export function apartFindings({ node, volumes }: RawConfig, folder: string): Finding[] {
  const dataDir = realPlace(resolve(folder, node.dataDir));
  return placesOf(volumes, folder).flatMap((place, index) => {
    const relation = overlap(place, dataDir);
    if (relation === undefined) return [];
    const found = `${quote(volumes[index]?.path ?? '')}, ${relation} node.dataDir`;
    const accepted = 'a folder apart from node.dataDir';
    return [{ path: ['volumes', index, 'path'], found, accepted }];
  });
}

export function tokenFileFindings(raw: RawConfig, folder: string): Finding[] {
  const file = tokenFileOf(raw, folder);
  const path = ['http', 'tokenFile'];
  const fault = (found: string): Finding[] => [
    { path, found, accepted: 'a file, or a place for one in a folder that exists' },
  ];
  const kind = kindOf(file);
  if (kind === 'folder') return fault(`${quote(file)}, which is a folder`);
  // The data directory is made when it is missing.
  if (kind !== 'nothing' || dirname(file) === resolve(folder, raw.node.dataDir)) return [];
  const problem = folderProblem(dirname(file));
  return problem === undefined ? [] : fault(`${quote(dirname(file))}, ${problem}`);
}

/** Secrets in a volume would be sent to all machines. */
export function secretFindings(raw: RawConfig, folder: string): Finding[] {
  const volumes = placesOf(raw.volumes, folder);
  return secretsOf(raw).flatMap(({ path, file }) => {
    const place = realPlace(resolve(folder, file));
    const index = volumes.findIndex((volume) => isWithin(place, volume));
    if (index === -1) return [];
    const found = `${quote(file)}, which lies within volumes[${index}]`;
    return [{ path, found, accepted: 'a file outside of all volumes' }];
  });
}

interface Secret {
  readonly path: KeyPath;
  readonly file: string;
}

function secretsOf({ http, peers }: RawConfig): Secret[] {
  const { tokenFile } = http;
  return [
    ...(tokenFile === undefined ? [] : [{ path: ['http', 'tokenFile'], file: tokenFile }]),
    ...(peers.tls === 'off' ? [] : [{ path: ['peers', 'tls', 'key'], file: peers.tls.key }]),
  ];
}

function placesOf(volumes: RawConfig['volumes'], folder: string): string[] {
  return volumes.map(({ path }) => realPlace(resolve(folder, path)));
}
