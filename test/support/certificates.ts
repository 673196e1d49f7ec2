/** A certificate authority of the test's own, and certificates for its nodes. */

import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { TlsFiles } from '../../src/net/transport/security.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const crypto = webcrypto;
x509.cryptoProvider.set(crypto as never);

const lifetime = () => ({
  notBefore: new Date(Date.now() - 60_000),
  notAfter: new Date(Date.now() + 3_600_000),
});

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = await crypto.subtle.exportKey('pkcs8', key);
  return x509.PemConverter.encode(der, 'PRIVATE KEY');
}

export interface Authority {
  /** Certificate and key for the node of that name. */
  issue(name: string): Promise<TlsFiles>;
}

export async function makeAuthority(): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=test authority',
    serialNumber: '01',
    ...lifetime(),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  let serial = 1;
  const issue = async (name: string): Promise<TlsFiles> => {
    serial += 1;
    const own = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const cert = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: ca.subject,
      serialNumber: serial.toString(16).padStart(2, '0'),
      ...lifetime(),
      signingKey: keys.privateKey,
      publicKey: own.publicKey,
      signingAlgorithm: ALGORITHM,
    });
    return { ca: ca.toString('pem'), cert: cert.toString('pem'), key: await pemOf(own.privateKey) };
  };
  return { issue };
}
