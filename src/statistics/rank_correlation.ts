/** Rank correlations, also of values that count several times. */

/** Values by their order. */
export interface Ranking {
  /** Of every value the number of different smaller ones. */
  level: Uint32Array;
  /** Places of the values, ascending. */
  order: Uint32Array;
  /** Number of different values. */
  levels: number;
}

/**
 * Orders values; equal ones share a level.
 *
 * @param values any numbers, infinite ones too
 * @returns the order of the values, least first, and the level of each
 * @throws RangeError "Value 3 is NaN: …"
 */
export function rankingOf(values: ArrayLike<number>): Ranking {
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) throw new RangeError(`Value ${i} is NaN: only numbers can be ranked.`);
  }
  const order = Uint32Array.from({ length: values.length }, (_, i) => i);
  order.sort((a, b) => values[a] - values[b] || a - b);
  const level = new Uint32Array(values.length);
  let levels = 0;
  order.forEach((place, at) => {
    if (at > 0 && values[place] !== values[order[at - 1]]) levels++;
    level[place] = levels;
  });
  return { level, order, levels: levels + Number(values.length > 0) };
}

/** Ranks from 1, equal values sharing their mean rank. */
export function midranksOf({ level, order }: Ranking): Float64Array {
  const ranks = new Float64Array(level.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && level[order[to]] === level[order[from]]) to++;
    for (let at = from; at < to; at++) ranks[order[at]] = (from + to + 1) / 2;
  }
  return ranks;
}

/**
 * Spearman's ρ, the Pearson correlation of midranks, in float64: ρ = Σ (a_i − ā)(b_i − b̄) / √(Σ (a_i − ā)² Σ (b_i − b̄)²).
 *
 * @param x ranking of n values
 * @param y ranking of n values
 * @param weights how often each pair of values counts, whole numbers from 0 on; once if absent
 * @returns from −1 to 1; 0 where all values of one side are equal
 * @throws RangeError when the rankings, or the weights, are not equally long
 *
 * Cost: O(n).
 */
export function spearman(x: Ranking, y: Ranking, weights?: ArrayLike<number>): number {
  const count = countsOf(x, y, weights);
  const a = midranks(x, count), b = midranks(y, count), levelX = x.level, levelY = y.level;
  let total = 0;
  for (let i = 0; i < count.length; i++) total += count[i];
  const mean = (total + 1) / 2;
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < count.length; i++) {
    const da = a[levelX[i]] - mean, db = b[levelY[i]] - mean, weighted = count[i] * da;
    ab += weighted * db;
    aa += weighted * da;
    bb += count[i] * db * db;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

/**
 * Kendall's τ_a: of all n (n − 1) / 2 pairs of entries, the share in the same order in x and y minus the share in the
 * opposite order, τ_a = Σ_{i<j} sgn(x_i − x_j) sgn(y_i − y_j) / (n (n − 1) / 2); ties count for neither, so many ties keep τ_a from 1 (the measure that Nili et al. 2014 recommend where
 * models predict ties). Counted with a Fenwick tree (Knight 1966 counts by merging).
 *
 * @param x ranking of n values
 * @param y ranking of n values
 * @param weights how often each pair of values counts, whole numbers from 0 on; once if absent
 * @returns from −1 to 1; 0 for fewer than two entries
 * @throws RangeError when the rankings, or the weights, are not equally long
 *
 * Cost: O(n log n).
 */
export function kendallTauA(x: Ranking, y: Ranking, weights?: ArrayLike<number>): number {
  const count = countsOf(x, y, weights), n = count.length, { order, level } = x, levelY = y.level;
  const tree = new Float64Array(y.levels + 1); // entries seen, by y level
  let total = 0, difference = 0;
  for (let from = 0, to = 0; from < n; from = to) {
    let own = 0;
    for (to = from; to < n && level[order[to]] === level[order[from]]; to++) {
      const place = order[to];
      if (count[place] === 0) continue;
      const below = sumUpTo(tree, levelY[place]), upTo = sumUpTo(tree, levelY[place] + 1);
      difference += count[place] * (below - (total - upTo));
      own += count[place];
    }
    for (let at = from; at < to; at++) {
      const place = order[at];
      if (count[place] === 0) continue;
      for (let node = levelY[place] + 1; node <= y.levels; node += node & -node) tree[node] += count[place];
    }
    total += own;
  }
  return total > 1 ? difference / (total * (total - 1) / 2) : 0;
}

/** Sum of the first `count` levels of a Fenwick tree. */
function sumUpTo(tree: Float64Array, count: number): number {
  let sum = 0;
  for (let node = count; node > 0; node -= node & -node) sum += tree[node];
  return sum;
}

/** The mean rank, from 1 on, of the entries of every level. */
function midranks({ level, levels }: Ranking, count: Float64Array): Float64Array {
  const ranks = new Float64Array(levels);
  for (let i = 0; i < count.length; i++) ranks[level[i]] += count[i];
  for (let l = 0, before = 0; l < levels; l++) {
    const own = ranks[l];
    ranks[l] = before + (own + 1) / 2;
    before += own;
  }
  return ranks;
}

/** How often each place counts. */
function countsOf(x: Ranking, y: Ranking, weights?: ArrayLike<number>): Float64Array {
  const n = x.level.length, other = [y.level.length, weights?.length ?? n].find((length) => length !== n);
  if (other !== undefined) {
    throw new RangeError(`One side has ${n} values, the other ${other}: they must be equal.`);
  }
  if (weights instanceof Float64Array) return weights;
  return weights ? Float64Array.from(weights) : new Float64Array(n).fill(1);
}
