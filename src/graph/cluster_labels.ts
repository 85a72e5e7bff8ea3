/** What all clusterings of nodes share: no cluster stays empty, and numbers do not depend on chance. */

/**
 * Gives every empty cluster a node, in place: the node that fits its own cluster worst, out of the clusters with more
 * than one; the lowest node of several, the lowest cluster first.
 *
 * @param labels cluster of every node, below `clusters`; n ≥ `clusters`
 * @param misfit how badly a node fits its own cluster, larger is worse
 * @returns nodes moved
 */
export function fillEmptyClusters(
  labels: Uint32Array,
  clusters: number,
  misfit: (node: number) => number,
): number {
  const sizes = new Uint32Array(clusters);
  for (const label of labels) sizes[label]++;
  let moved = 0;
  for (let cluster = 0; cluster < clusters; cluster++) {
    if (sizes[cluster] > 0) continue;
    let worst = -1, most = -Infinity;
    for (let i = 0; i < labels.length; i++) {
      if (sizes[labels[i]] < 2) continue;
      const own = misfit(i);
      if (own > most) [worst, most] = [i, own];
    }
    sizes[labels[worst]]--;
    sizes[cluster]++;
    labels[worst] = cluster;
    moved++;
  }
  return moved;
}

/**
 * Numbers clusters by their first node, so that the same partition always has the same labels.
 *
 * @param labels cluster of every node, none empty; renumbered in place
 * @returns the old number of every new one
 */
export function orderByAppearance(labels: Uint32Array): number[] {
  const renumbered = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) {
    let label = renumbered.get(labels[i]);
    if (label === undefined) renumbered.set(labels[i], label = renumbered.size);
    labels[i] = label;
  }
  return [...renumbered.keys()];
}

/** @throws RangeError naming the first node with a value that is not finite */
export function assertFiniteRows({ data, cols }: { data: Float32Array; cols: number }, name: string): void {
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new RangeError(
    `${name}: node ${Math.floor(at / cols)} has ${data[at]} in column ${
      at % cols
    }; every value must be finite.`,
  );
}
