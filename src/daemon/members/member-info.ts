/**
 * What the configuration of the group says of a member besides its name and incarnation:
 * `MemberDetail.info`, which consensus carries and does not read.
 */

import type { MemberConfig } from '../../config/config.ts';
import { formatEndpoint } from '../../config/endpoint.ts';

const PRIORITY_MAX = 1000;

export interface MemberInfo {
  /** `HOST:PORT` where the others reach it. */
  readonly address: string;
  /** Among members that are ready the one with the highest is handed the place. */
  readonly priority: number;
  readonly site: string;
  readonly canBePrimary: boolean;
}

export function encodeInfo({ address, priority, site, canBePrimary }: MemberInfo): string {
  return JSON.stringify({ address, priority, site, canBePrimary });
}

/** Undefined for a text that is not what this version writes. */
export function decodeInfo(text: string): MemberInfo | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? infoIn({ ...value }) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function infoOfConfig(member: MemberConfig): MemberInfo {
  const { address, priority, site, canBePrimary } = member;
  return { address: formatEndpoint(address), priority, site, canBePrimary };
}

function infoIn(fields: Partial<Record<keyof MemberInfo, unknown>>): MemberInfo | undefined {
  const { address, priority, site, canBePrimary } = fields;
  if (typeof address !== 'string' || typeof site !== 'string') return undefined;
  if (typeof canBePrimary !== 'boolean' || typeof priority !== 'number') return undefined;
  const isRank = Number.isInteger(priority) && priority >= 0 && priority <= PRIORITY_MAX;
  return isRank && address !== '' ? { address, priority, site, canBePrimary } : undefined;
}
