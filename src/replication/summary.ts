/**
 * What a volume's index amounts to, at one position of the log.
 */

import { ROOT_ID } from './command/change.ts';
import type { FileIndex } from './index/file-index.ts';

export interface VolumeSummary {
  readonly files: number;
  readonly bytes: number;
  /** Hash over everything in the index of the volume; empty before there is one. */
  readonly treeHash: string;
}

export function summaryOf(index: FileIndex, volume: number): VolumeSummary {
  const root = index.find(volume, ROOT_ID);
  if (root?.type !== 'directory') return { files: 0, bytes: 0, treeHash: '' };
  return { files: root.files, bytes: root.bytes, treeHash: root.leaf.toString('hex') };
}
