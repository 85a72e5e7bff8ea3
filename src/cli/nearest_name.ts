/** The name that was probably meant. */

/**
 * Finds the name that was probably meant.
 *
 * @param name as typed
 * @param names there are
 * @returns undefined where none is like it: at most one slip of a finger in three letters, or one name begins with the other
 */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  if (name === "") return undefined;
  const begins = (known: string) => known.startsWith(name) || known.length > 2 && name.startsWith(known);
  const slips = new Map(names.map((known) => [known, distance(known, name)]));
  const cost = (known: string) => begins(known) ? 0 : slips.get(known)!;
  const [nearest] = names.toSorted((a, b) => cost(a) - cost(b) || slips.get(a)! - slips.get(b)!);
  return nearest !== undefined && cost(nearest) <= Math.max(1, name.length / 3) ? nearest : undefined;
}

/** Edit distance, two letters exchanged counting once. */
function distance(a: string, b: string): number {
  let before: number[] = [], row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isExchanged) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}
