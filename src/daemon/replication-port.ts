/** Replication as the daemon drives it: in its own thread, status as last reported. */

import type { Replicator } from '../replication/replicator.ts';
import type { SalvageManifest } from '../replication/salvage/salvage-store.ts';

export type Replication = Pick<
  Replicator,
  | 'status'
  | 'apply'
  | 'settle'
  | 'needState'
  | 'makeBaseline'
  | 'arm'
  | 'disarm'
  | 'barrier'
  | 'answer'
  | 'sync'
  | 'close'
> & { salvage(): Promise<readonly SalvageManifest[]> };
