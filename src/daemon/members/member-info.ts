/**
 * What the configuration of the group says of a member besides its name and incarnation:
 * `MemberDetail.info`, which consensus carries and does not read.
 */

import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Ajv } from 'ajv';
import type { MemberConfig } from '../../config/config.ts';
import { formatEndpoint } from '../../config/endpoint.ts';

const PRIORITY_MAX = 1000;
const TEXT_MAX = 256;

export const MemberInfoSchema = Type.Object({
  /** `HOST:PORT` where the others reach it. */
  address: Type.String({ minLength: 1, maxLength: TEXT_MAX }),
  /** Among members that are ready the one with the highest is handed the place. */
  priority: Type.Integer({ minimum: 0, maximum: PRIORITY_MAX }),
  site: Type.String({ maxLength: TEXT_MAX }),
  canBePrimary: Type.Boolean(),
});
export type MemberInfo = Static<typeof MemberInfoSchema>;

const isInfo = new Ajv().compile<MemberInfo>(MemberInfoSchema as TSchema);

export function encodeInfo({ address, priority, site, canBePrimary }: MemberInfo): string {
  return JSON.stringify({ address, priority, site, canBePrimary });
}

/** Undefined for a text that is not what this version writes. */
export function decodeInfo(text: string): MemberInfo | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isInfo(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function infoOfConfig(member: MemberConfig): MemberInfo {
  const { address, priority, site, canBePrimary } = member;
  return { address: formatEndpoint(address), priority, site, canBePrimary };
}
