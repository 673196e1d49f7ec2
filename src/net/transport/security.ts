/**
 * How sockets to peers are made: mutual TLS 1.3, or plain TCP where that is allowed.
 *
 * With TLS a peer is who its certificate names: the common name must be its id.
 */

import {
  connect as connectPlain,
  createServer as createPlain,
  type Server,
  type Socket,
} from 'node:net';
import { connect as connectTls, createServer as createTls, type TLSSocket } from 'node:tls';

export interface TlsFiles {
  /** PEM texts: the cluster's authority, this node's certificate and its key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @param tls undefined for plain TCP */
export function dial(to: Endpoint, tls: TlsFiles | undefined, onReady: () => void): Socket {
  if (tls === undefined) return connectPlain({ ...to, noDelay: true }, onReady);
  // The name is checked against the peer's id, not against the address.
  const checkServerIdentity = () => undefined;
  return connectTls({ ...to, ...tls, minVersion: 'TLSv1.3', checkServerIdentity }, onReady);
}

export function listener(tls: TlsFiles | undefined, onSocket: (socket: Socket) => void): Server {
  if (tls === undefined) return createPlain({ noDelay: true }, onSocket);
  const required = { requestCert: true, rejectUnauthorized: true } as const;
  return createTls({ ...tls, ...required, minVersion: 'TLSv1.3' }, onSocket);
}

/** The name that the peer's certificate proves; undefined on plain TCP. */
export function provenName(socket: Socket, tls: TlsFiles | undefined): string | undefined {
  if (tls === undefined) return undefined;
  const { subject } = (socket as TLSSocket).getPeerCertificate();
  const name = subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}
