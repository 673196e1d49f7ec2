/** What `GET /status` says of a node, as far as the lab relies on it. */

export interface NodeStatus {
  readonly node: string;
  readonly role: string;
  readonly raft: {
    readonly state: string;
    readonly term: number;
    readonly leader: string | null;
    readonly commitIndex: number;
    readonly appliedIndex: number;
  };
  readonly tenure: { readonly valid: boolean };
  readonly service: { readonly state: string };
  readonly address: ReadonlyArray<{ readonly address: string; readonly held: boolean }>;
  readonly volumes: readonly VolumeStatus[];
  readonly replication: { readonly mode: string };
}

export interface VolumeStatus {
  readonly name: string;
  readonly treeHash: string;
  readonly treeHashIndex: number;
  /** Paths that changed and are not yet committed. */
  readonly dirty: number;
  /** Paths that are committed and not yet here. */
  readonly missing: number;
}

/** Serves at this moment: the service runs, with a valid tenure and the address. */
export function isPrimary(status: NodeStatus): boolean {
  const holdsAll = status.address.every(({ held }) => held);
  return status.role === 'primary' && status.tenure.valid && holdsAll;
}

/** Its files are what the log says, up to what it has applied. */
export function isWhole({ replication, volumes }: NodeStatus): boolean {
  const isSettled = ['following', 'leading'].includes(replication.mode);
  return isSettled && volumes.every(({ missing }) => missing === 0);
}

/** All have applied the same and nothing is on its way. */
export function areInSync(statuses: readonly NodeStatus[]): boolean {
  const [first, ...others] = statuses;
  if (first === undefined) return false;
  const applied = first.raft.appliedIndex;
  const isQuiet = statuses.every(
    (status) =>
      status.raft.appliedIndex === applied &&
      isWhole(status) &&
      status.volumes.every(({ dirty }) => dirty === 0),
  );
  return isQuiet && others.every(({ volumes }) => sameTrees(first.volumes, volumes));
}

function sameTrees(left: readonly VolumeStatus[], right: readonly VolumeStatus[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ name, treeHash }, index) => {
      const other = right[index];
      return other?.name === name && other.treeHash === treeHash;
    })
  );
}
