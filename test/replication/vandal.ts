/**
 * Someone who changes a tree at random in all the ways that mail servers do, and worse:
 * names that are taken again, swapped, and moved with what is in them.
 */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Numbers that a seed repeats (xorshift). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Does what mail servers do to their files, and worse. */
export class Vandal {
  readonly #root: string;
  readonly #random: (below: number) => number;
  readonly #signed: string;
  #serial = 0;

  /** @param signed what its contents begin with, to tell them from those of others */
  constructor(root: string, random: (below: number) => number, signed = '') {
    this.#root = root;
    this.#random = random;
    this.#signed = signed;
  }

  act(): void {
    const acts = [this.#write, this.#write, this.#move, this.#swap, this.#swap, this.#rotate];
    const more = [this.#renameDirectory, this.#swapDirectories, this.#recreate, this.#link];
    const all = [...acts, ...more, this.#remove, this.#makeDirectory];
    all[this.#random(all.length)]?.call(this);
  }

  #write(): void {
    const bytes = this.#random(20) === 0 ? 700_000 : this.#random(3000);
    this.#serial += 1;
    writeFileSync(this.#file(), Buffer.alloc(bytes, `${this.#signed}${this.#serial} `));
  }

  #move(): void {
    const from = this.#existing();
    if (from !== undefined) renameSync(from, this.#file());
  }

  #swap(): void {
    const [a, b] = [this.#existing(), this.#existing()];
    if (a === undefined || b === undefined || a === b) return;
    exchange(a, b);
  }

  #rotate(): void {
    const log = join(this.#directory(), 'log');
    if (existsSync(log)) renameSync(log, `${log}.1`);
    this.#serial += 1;
    writeFileSync(log, `log ${this.#signed}${this.#serial}`);
  }

  #renameDirectory(): void {
    const to = join(this.#directory(), `moved${this.#random(4)}`);
    const from = this.#directory();
    if (from === this.#root || existsSync(to) || to.startsWith(`${from}/`)) return;
    renameSync(from, to);
  }

  #swapDirectories(): void {
    const [a, b] = [this.#directory(), this.#directory()];
    const isNested = `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
    if (!isNested) exchange(a, b);
  }

  #recreate(): void {
    const directory = this.#directory();
    if (directory === this.#root) return;
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    writeFileSync(join(directory, 'f0'), 'recreated');
  }

  #link(): void {
    const path = this.#file();
    rmSync(path, { force: true });
    symlinkSync(`target${this.#random(5)}`, path);
  }

  #remove(): void {
    const path = this.#existing();
    if (path !== undefined) rmSync(path);
  }

  #makeDirectory(): void {
    mkdirSync(join(this.#directory(), `d${this.#random(4)}`), { recursive: true });
  }

  #file(): string {
    return join(this.#directory(), `f${this.#random(12)}`);
  }

  #existing(): string | undefined {
    const path = this.#file();
    return existsSync(path) ? path : undefined;
  }

  #directory(): string {
    let path = this.#root;
    for (let depth = this.#random(4); depth > 0; depth -= 1) {
      const below = readdirSync(path, { withFileTypes: true }).filter(
        (entry) => entry.isDirectory() && entry.name !== '.mailraft',
      );
      const next = below[this.#random(Math.max(1, below.length))];
      if (next === undefined) break;
      path = join(path, next.name);
    }
    return path;
  }
}

function exchange(a: string, b: string): void {
  const aside = `${a}.aside`;
  renameSync(a, aside);
  renameSync(b, a);
  renameSync(aside, b);
}
