/**
 * The independent observer: it stands outside every node and says what it saw.
 *
 * Run it in the network namespace of the switch and in the pid namespace of the
 * computer. It shares no code with the product. Lines of JSON on its standard
 * input tell it which machines there are: `{"machine":"n1","initPid":123}`.
 * Events come on standard output as they happen; at SIGTERM or the end of its
 * input it prints each violation and, as the last line, the summary. Exit code:
 * 0 nothing wrong was seen, 1 something was, 3 the run is void.
 */

import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { parseMac } from './arp-frame.ts';
import { rounded } from './clock.ts';
import { Observer } from './observer.ts';
import { raisePriority } from './priority.ts';

function readOptions() {
  const { values } = parseArgs({
    options: {
      address: { type: 'string' },
      bridge: { type: 'string' },
      'bridge-mac': { type: 'string' },
      'ask-from': { type: 'string' },
      marker: { type: 'string', multiple: true },
      'period-ms': { type: 'string', default: '10' },
    },
  });
  const { address, bridge, marker: markers, 'bridge-mac': mac, 'ask-from': askFrom } = values;
  if (!address || !bridge || !mac || !askFrom || !markers) {
    throw new Error('--address, --bridge, --bridge-mac, --ask-from and --marker are needed');
  }
  const periodMs = Number(values['period-ms']);
  if (!(periodMs >= 1 && periodMs <= 20)) throw new Error('--period-ms is 1 to 20');
  return { address, bridge, bridgeMac: parseMac(mac), askFrom, markers, periodMs };
}

/** Times are rounded where they are printed; nothing is computed with them afterwards. */
function print(line: object): void {
  const text = JSON.stringify(line, (_, value) =>
    typeof value === 'number' ? rounded(value) : value,
  );
  process.stdout.write(`${text}\n`);
}

async function main(): Promise<number> {
  const observer = new Observer({ ...readOptions(), priority: raisePriority() }, print);
  process.on('SIGTERM', () => observer.stop());
  const commands = createInterface({ input: process.stdin });
  commands.on('line', (line) => {
    const { machine, initPid } = JSON.parse(line) as { machine: string; initPid: number };
    observer.follow(machine, initPid);
  });
  commands.on('close', () => observer.stop());
  await observer.watch();
  commands.close();
  process.stdin.destroy();

  const { violations, summary } = observer;
  for (const violation of violations) print(violation);
  print(summary);
  if (summary.void) return 3;
  return violations.length === 0 ? 0 : 1;
}

process.exitCode = await main();
