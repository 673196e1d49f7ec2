/** What fits a witness, which has a vote and no data, and what only the others have. */

import { type Finding, type KeyPath, quote } from './fault.ts';
import type { RawConfig } from './schema.ts';

export function witnessFindings({ members }: Pick<RawConfig, 'members'>): Finding[] {
  const witnesses = members.flatMap(({ role }, index) => (role === 'witness' ? [index] : []));
  const [first, ...others] = witnesses;
  if (first === undefined) return [];
  const extra = others.map((index) => ({
    path: ['members', index, 'role'],
    found: `witness, as in members[${first}]`,
    accepted: 'voter; one member at most is a witness',
  }));
  return [...extra, ...witnesses.flatMap((index) => oneFindings(members, index))];
}

function oneFindings(members: RawConfig['members'], index: number): Finding[] {
  const { origin, priority } = members[index] as RawConfig['members'][number];
  const of = (key: string): KeyPath => ['members', index, key];
  const isAlone = members.length === 1;
  return [
    ...(isAlone
      ? [{ path: of('role'), found: 'witness', accepted: 'voter for the only member' }]
      : []),
    ...(origin
      ? [{ path: of('origin'), found: 'true', accepted: 'false for a witness, which has no data' }]
      : []),
    ...(priority === 0
      ? []
      : [
          {
            path: of('priority'),
            found: `${priority}`,
            accepted: 'nothing for a witness, which is never primary',
          },
        ]),
  ];
}

/** The file of a witness names nothing that it could not honour; all others have volumes. */
export function ownPartFindings(raw: RawConfig): Finding[] {
  const { members, node, volumes, service, address } = raw;
  const own = members.find(({ id }) => id === node.id);
  if (own?.role !== 'witness') {
    if (volumes.length > 0) return [];
    return [{ path: ['volumes'], found: 'nothing', accepted: 'a list of 1 to 64' }];
  }
  const found = `something at the witness ${quote(node.id)}`;
  const accepted = 'nothing in the file of a witness, which has no data and runs no service';
  const keys = [
    ...(volumes.length > 0 ? ['volumes'] : []),
    ...(service.driver === 'none' ? [] : ['service']),
    ...(address.length > 0 ? ['address'] : []),
  ];
  return keys.map((key) => ({ path: [key], found, accepted }));
}
