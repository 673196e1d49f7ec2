/**
 * Columns that stand under each other. A cell may carry colour: only what is seen
 * counts for the width.
 */

import { stripVTControlCharacters } from 'node:util';

const GAP = '  ';

/** One line per row, each cell but the last of a row padded to its column. */
export function tableLines(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, seenWidth(cell));
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - seenWidth(cell)))
      .join(GAP)
      .trimEnd(),
  );
}

function seenWidth(cell: string): number {
  return [...stripVTControlCharacters(cell)].length;
}
