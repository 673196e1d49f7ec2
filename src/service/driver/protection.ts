/**
 * How the kernel binds a service to the life of the guardian (safety rule 7).
 *
 * In a pid namespace of its own nothing escapes, whatever it forks: when the
 * first process of the namespace ends, the kernel ends all. Where no namespace
 * can be made, only the service's own process gets the parent-death signal, and
 * one that puts itself into the background escapes: that is called weak.
 *
 * What works here is found by trying, since containers forbid what kernels can.
 */

import { execFile } from 'node:child_process';
import { MailraftError } from '../../errors.ts';

export interface Protection {
  readonly kind: 'namespace' | 'weak';
  /** Arguments before the program's own. */
  readonly launcher: readonly string[];
}

/** The kernel ends it when its parent, the guardian, dies. */
const WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL'];
const PID_NAMESPACE = ['unshare', '--pid', '--fork', '--kill-child=KILL'];
/** Programs that look up processes must find those of their own namespace. */
const OWN_PROC = ['--mount-proc', '--propagation', 'slave'];
// Its rights within the namespace of users are kept for making the other
// namespaces, and given up before the service begins.
const USER_NAMESPACE = ['unshare', '--user', '--map-current-user', '--keep-caps', '--'];
const WITHOUT_RIGHTS = ['setpriv', '--ambient-caps=-all', '--inh-caps=-all', '--'];

/** What needs nothing of the machine but `setpriv`. */
export const WEAK_PROTECTION: Protection = { kind: 'weak', launcher: [...WITH_PARENT, '--'] };

/** From the strongest to the weakest. */
const PROTECTIONS: readonly Protection[] = [
  namespace([...WITH_PARENT, ...PID_NAMESPACE, ...OWN_PROC, '--']),
  namespace([...WITH_PARENT, ...PID_NAMESPACE, '--']),
  // Entering a namespace of users may clear the parent-death signal: it is set inside.
  namespace([...USER_NAMESPACE, ...WITH_PARENT, ...PID_NAMESPACE, ...OWN_PROC, ...WITHOUT_RIGHTS]),
  namespace([...USER_NAMESPACE, ...WITH_PARENT, ...PID_NAMESPACE, ...WITHOUT_RIGHTS]),
  WEAK_PROTECTION,
];

const TRIAL_MS = 5000;

/** The strongest protection that this machine allows. */
export async function findProtection(): Promise<Protection> {
  for (const protection of PROTECTIONS) {
    if (await works(protection)) return protection;
  }
  throw new MailraftError(
    'SERVICE_FAILED',
    'a service can not be bound to the guardian: "setpriv --pdeathsig KILL true" failed, install util-linux 2.33 or later',
  );
}

function namespace(launcher: readonly string[]): Protection {
  return { kind: 'namespace', launcher };
}

function works({ launcher }: Protection): Promise<boolean> {
  const [program = '', ...rest] = [...launcher, 'true'];
  return new Promise((resolve) => {
    execFile(program, rest, { timeout: TRIAL_MS }, (error) => resolve(error === null));
  });
}
