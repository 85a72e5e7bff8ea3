/** The name that was probably meant. */

/**
 * Finds the name that was probably meant.
 *
 * @param name as typed
 * @param names there are
 * @returns undefined where none is like it: at most half of the letters may differ, or the name begins alike
 */
export function nearestName(name: string, names: readonly string[]): string | undefined {
  const cost = (known: string) =>
    known.startsWith(name) ? 0 : distance(known, name) / Math.max(name.length, 1);
  const nearest = names.toSorted((a, b) => cost(a) - cost(b) || distance(a, name) - distance(b, name))[0];
  return name !== "" && cost(nearest) <= 0.5 ? nearest : undefined;
}

/** Edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    }
    row = next;
  }
  return row[b.length];
}
