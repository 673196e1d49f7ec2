/** The certificates that this member speaks with: readable, of one pair, in its own name. */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, systemCode } from '../errors.ts';
import { type Finding, quote } from './fault.ts';
import type { RawConfig } from './schema.ts';

export function tlsFindings({ peers, node }: RawConfig, folder: string): Finding[] {
  if (peers.tls === 'off') return [];
  const findings: Finding[] = [];
  const fault = (name: string, found: string, accepted: string) =>
    void findings.push({ path: ['peers', 'tls', name], found, accepted });
  const { ca, cert, key } = peers.tls;
  const load = <T>(name: string, file: string, part: Part<T>): T | undefined => {
    try {
      return part.parse(readFileSync(resolve(folder, file)));
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      const found = `${quote(file)}, which can not be read: ${messageOf(error)}`;
      fault(name, found, part.accepted);
      return undefined;
    }
  };
  load('ca', ca, CERTIFICATE);
  const certificate = load('cert', cert, CERTIFICATE);
  const privateKey = load('key', key, PRIVATE_KEY);
  if (certificate === undefined) return findings;
  const name = commonNameOf(certificate);
  if (name !== node.id) {
    const found = `${quote(cert)}, which is in the name of ${quote(name)}`;
    fault('cert', found, `a certificate whose common name is ${quote(node.id)}, the node.id`);
  }
  if (privateKey !== undefined && !certificate.checkPrivateKey(privateKey)) {
    const found = `${quote(key)}, which does not belong to ${quote(cert)}`;
    fault('key', found, 'the key that the certificate was made for');
  }
  return findings;
}

interface Part<T> {
  readonly accepted: string;
  parse(pem: Buffer): T;
}

const CERTIFICATE: Part<X509Certificate> = {
  accepted: 'a file with a certificate as PEM',
  parse: (pem) => new X509Certificate(pem),
};

const PRIVATE_KEY: Part<KeyObject> = {
  accepted: 'a file with a private key as PEM, without a pass phrase',
  parse: (pem) => createPrivateKey(pem),
};

function commonNameOf({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? '';
}
