/** Who is measured: this project, and etcd where there is one. */

import type { System } from './cluster.ts';
import { findEtcd } from './etcd-system.ts';
import { mailraft } from './mailraft-system.ts';

export interface Rivals {
  readonly systems: readonly System[];
  /** Why there is nobody to compare with. */
  readonly absence: string | undefined;
}

let found: Rivals | undefined;

export function rivals(): Rivals {
  found ??= find();
  return found;
}

function find(): Rivals {
  const etcd = findEtcd();
  if (typeof etcd === 'string') return { systems: [mailraft], absence: etcd };
  return { systems: [mailraft, etcd], absence: undefined };
}
