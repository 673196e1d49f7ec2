/** The clients of the systems that are measured, by name. */

import { EtcdClient } from './etcd-client.ts';
import { MailraftClient } from './mailraft-client.ts';
import type { WriteClient } from './write-client.ts';

export const SYSTEMS = ['mailraft', 'etcd'] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** Connects to the member that serves clients at a port of 127.0.0.1. */
export function openClient(system: SystemName, port: number): WriteClient {
  return system === 'mailraft' ? new MailraftClient(port) : new EtcdClient(port);
}
