/** The figures of clusters under load, as rows and as a table. */

import { tableLines } from '../../../src/cli/table.ts';
import { median } from '../../measure/statistics.ts';
import { type Figures, type Report, ratioText, shown } from '../../report/workload.ts';
import type { SystemName } from '../clients/open-client.ts';
import type { Measured } from '../load/load-words.ts';
import type { System } from './cluster.ts';
import type { Durability } from './durability.ts';

export interface CellResult {
  readonly system: SystemName;
  readonly valueBytes: number;
  readonly clients: number;
  readonly measured: Measured;
}

/** Medians over the runs of one cell. */
interface Cell {
  readonly commitsPerS: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly commitsPerServerCpuS: number;
  readonly serverCores: number;
  readonly generatorCores: number;
  readonly runs: number;
}

export function clusterReport(
  results: readonly CellResult[],
  durability: ReadonlyMap<System, readonly Durability[]>,
  absence: string | undefined,
): Report {
  const groups = groupsOf(results);
  const figures = groups.flatMap(({ valueBytes, clients, cells }) =>
    [...cells].map(([system, cell]) => ({
      workload: 'cluster',
      system,
      valueBytes,
      clients,
      ...cell,
      ...ratiosOf(cells),
    })),
  );
  const kept = [...durability].map(([system, all]) => durabilityOf(system, all));
  return {
    figures: [...figures, ...kept.map(({ figure }) => figure)],
    lines: [
      ...tableLines([HEAD, ...groups.flatMap(rowsOf)]),
      '',
      ...kept.map(({ line }) => line),
      ...(absence === undefined ? [] : [absence]),
    ],
    broken: kept.flatMap(({ broken }) => broken),
  };
}

const HEAD = [
  ...['bytes', 'clients', 'system', 'commits/s', 'p50 ms', 'p99 ms'],
  ...['commits/server CPU-s', 'server cores', 'generator cores', 'p50 ratio', 'CPU-s ratio'],
];

interface Group {
  readonly valueBytes: number;
  readonly clients: number;
  readonly cells: ReadonlyMap<SystemName, Cell>;
}

function groupsOf(results: readonly CellResult[]): readonly Group[] {
  const groups = grouped(results, ({ valueBytes, clients }) => `${valueBytes}/${clients}`);
  return [...groups.values()].map((group) => {
    const { valueBytes, clients } = group[0] as CellResult;
    const bySystem = grouped(group, ({ system }) => system);
    const cells = new Map(
      [...bySystem].map(([system, all]) => [system, cellOf(all.map(({ measured }) => measured))]),
    );
    return { valueBytes, clients, cells };
  });
}

function grouped<Key>(
  results: readonly CellResult[],
  keyOf: (result: CellResult) => Key,
): ReadonlyMap<Key, readonly CellResult[]> {
  const groups = new Map<Key, CellResult[]>();
  for (const result of results) {
    const key = keyOf(result);
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return groups;
}

function cellOf(all: readonly Measured[]): Cell {
  const of = (figure: (measured: Measured) => number): number => median(all.map(figure));
  return {
    commitsPerS: of(({ commits, seconds }) => commits / seconds),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    commitsPerServerCpuS: of(({ commits, serverCpuSeconds }) => commits / serverCpuSeconds),
    serverCores: of(({ serverCpuSeconds, seconds }) => serverCpuSeconds / seconds),
    generatorCores: of(({ generatorCpuSeconds, seconds }) => generatorCpuSeconds / seconds),
    runs: all.length,
  };
}

/** How many times better mailraft is than etcd. */
function ratiosOf(cells: Group['cells']): Figures {
  const [own, peer] = [cells.get('mailraft'), cells.get('etcd')];
  if (own === undefined || peer === undefined) return {};
  return {
    p50Ratio: peer.p50Ms / own.p50Ms,
    cpuRatio: own.commitsPerServerCpuS / peer.commitsPerServerCpuS,
  };
}

function rowsOf({ valueBytes, clients, cells }: Group): readonly (readonly string[])[] {
  const { p50Ratio, cpuRatio } = ratiosOf(cells);
  return [...cells]
    .toSorted(([a], [b]) => (a < b ? 1 : -1))
    .map(([system, cell]) => [
      String(valueBytes),
      String(clients),
      system,
      shown(cell.commitsPerS),
      cell.p50Ms.toFixed(2),
      cell.p99Ms.toFixed(2),
      shown(cell.commitsPerServerCpuS),
      cell.serverCores.toFixed(2),
      cell.generatorCores.toFixed(2),
      ...(system === 'mailraft' ? [p50Ratio, cpuRatio] : [])
        .filter((ratio) => typeof ratio === 'number')
        .map(ratioText),
    ]);
}

function durabilityOf(
  { name, version }: System,
  all: readonly Durability[],
): { readonly figure: Figures; readonly line: string; readonly broken: readonly string[] } {
  const acknowledged = all.reduce((sum, one) => sum + one.acknowledged, 0);
  const missing = all.reduce((sum, one) => sum + one.missing, 0);
  const line =
    `${name} ${version}: all three killed under load ${all.length} times, ` +
    `${shown(acknowledged)} acknowledged writes, ${missing} missing after the restart`;
  const figure = { workload: 'durability', system: name, acknowledged, missing, runs: all.length };
  const isBroken = name === 'mailraft' && (missing > 0 || acknowledged === 0);
  return { figure, line, broken: isBroken ? [line] : [] };
}
