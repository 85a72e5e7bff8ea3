/** How far two kinds of nodes are apart. */
import type { Matrix } from "../linalg/matrix.ts";
import { lengthOf } from "../linalg/portable_math.ts";

/**
 * Mean of the shares of figure and of ground that lie nearer, by cosine, to their own centre, the mean of their unit rows.
 *
 * @param nodes that count
 * @param figure 1, 0, or 255 where it is not known
 */
export function balancedAccuracy({ data, cols }: Matrix, nodes: number[], figure: readonly number[]): number {
  const known = nodes.filter((i) => figure[i] < 2);
  const unit = (i: number) => {
    const row = Float64Array.from(data.subarray(i * cols, (i + 1) * cols)), norm = lengthOf(row) || 1;
    return row.map((value) => value / norm);
  };
  const centres = [0, 1].map(() => new Float64Array(cols));
  for (const i of known) unit(i).forEach((value, c) => centres[figure[i]][c] += value);
  const norms = centres.map((centre) => lengthOf(centre) || 1);
  const right = [0, 0], all = [0, 0];
  for (const i of known) {
    const row = unit(i);
    const [ground, fig] = centres.map((centre, k) =>
      row.reduce((s, value, c) => s + value * centre[c], 0) / norms[k]
    );
    all[figure[i]]++;
    right[figure[i]] += Number(figure[i] === Number(fig > ground));
  }
  return (right[0] / all[0] + right[1] / all[1]) / 2;
}
