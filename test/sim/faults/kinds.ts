/** The kinds of faults. */

/** What is so all the time. */
export const CONDITIONS = [
  'loss',
  'replay',
  'slowMessages',
  'lateMessages',
  'lateTicks',
  'drift',
  'compaction',
] as const;

/** What happens now and then. */
export const STRIKES = [
  'killDaemon',
  'powerOff',
  'powerOffAll',
  'crashNewLeader',
  'pause',
  'crashService',
  'killGuardian',
  'isolate',
  'cutLink',
  'cutOneWay',
  'deafLeader',
  'muteLeader',
  'partition',
  'partitionOneWay',
  'bridge',
  'swizzleClog',
  'diskStall',
  'diskFull',
  'diskSlow',
  'syncError',
  'damage',
  'wipe',
  'switchover',
  'leaseChange',
  'changeMembers',
] as const;

export type Strike = (typeof STRIKES)[number];
export type FaultKind = (typeof CONDITIONS)[number] | Strike;

export const FAULT_KINDS: readonly FaultKind[] = [...CONDITIONS, ...STRIKES];
