/** Replication as the daemon drives it: in its own thread, status as last told. */

import type { ReplicationThread } from '../replication/thread/replication-thread.ts';

export type Replication = Pick<
  ReplicationThread,
  | 'status'
  | 'apply'
  | 'settle'
  | 'needState'
  | 'makeBaseline'
  | 'arm'
  | 'disarm'
  | 'barrier'
  | 'answer'
  | 'salvage'
  | 'sync'
  | 'close'
>;
