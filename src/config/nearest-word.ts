/** Finds which of some known words a mistyped one was meant to be. */

/** The known word that is fewest slips away, if that is few for its length. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const slipsMax = Math.min(2, Math.floor(word.length / 3));
  const near = known
    .map((candidate) => ({ candidate, slips: slipsBetween(word, candidate) }))
    .filter(({ slips }) => slips <= slipsMax)
    .sort((one, other) => one.slips - other.slips);
  return near[0]?.candidate;
}

/** Letters to insert, remove, replace or swap with the next; small and capital ones are equal. */
function slipsBetween(one: string, other: string): number {
  const [a, b] = [one.slice(0, 64).toLowerCase(), other.toLowerCase()];
  let [before, row]: [number[], number[]] = [[], [...b, ''].map((_, index) => index)];
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(row, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? at(before, j - 2) + 1 : replaced;
      next.push(Math.min(at(row, j) + 1, at(next, j - 1) + 1, replaced, swapped));
    }
    [before, row] = [row, next];
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
