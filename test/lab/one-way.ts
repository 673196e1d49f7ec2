/**
 * One-way faults: frames from one port of the switch to another are dropped.
 *
 * The whole table is replaced in one transaction at each change, so the kernel
 * never sees half of a state and nothing has to be looked up to be removed.
 */

export interface Direction {
  readonly from: string;
  readonly to: string;
}

export class OneWayFaults {
  readonly #blocked = new Map<string, Direction>();

  block(direction: Direction): void {
    this.#blocked.set(key(direction), direction);
  }

  unblock(direction: Direction): void {
    this.#blocked.delete(key(direction));
  }

  clear(): void {
    this.#blocked.clear();
  }

  /** The rules of now, for `nft -f -` within the switch. */
  get ruleset(): string {
    const drops = [...this.#blocked.values()].map(
      ({ from, to }) => `iifname "${from}" oifname "${to}" drop`,
    );
    return [
      // A table that is declared before it is deleted may be absent before.
      'table bridge lab',
      'delete table bridge lab',
      'table bridge lab {',
      'chain forward {',
      'type filter hook forward priority 0; policy accept;',
      ...drops,
      '}',
      '}',
      '',
    ].join('\n');
  }
}

function key({ from, to }: Direction): string {
  return `${from}>${to}`;
}
