/** Neighbours of unit rows ranked in float64, which float32 found. */
import type { Matrix } from "../linalg/matrix.ts";

/** The K nearest among those found, ranked by |x̂ − ŷ|² in float64; ties to the lower row. */
export function rankedExactly(
  queries: Matrix,
  base: Matrix,
  found: { indices: Uint32Array; k: number },
  k: number,
) {
  const { cols } = base, ofQueries = inverseNorms(queries);
  const ofBase = queries === base ? ofQueries : inverseNorms(base);
  const out = {
    indices: new Uint32Array(queries.rows * k),
    similarities: new Float32Array(queries.rows * k),
    k,
  };
  for (let i = 0; i < queries.rows; i++) {
    const own = i * cols, scale = ofQueries[i];
    const ranked = Array.from(found.indices.subarray(i * found.k, (i + 1) * found.k), (index) => {
      const other = index * cols, factor = ofBase[index];
      let squares = 0;
      for (let c = 0; c < cols; c++) {
        const difference = queries.data[own + c] * scale - base.data[other + c] * factor;
        squares += difference * difference;
      }
      return { index, squares };
    }).sort((a, b) => a.squares - b.squares || a.index - b.index);
    for (let at = 0; at < k; at++) {
      out.indices[i * k + at] = ranked[at].index;
      out.similarities[i * k + at] = -ranked[at].squares;
    }
  }
  return out;
}

function inverseNorms({ data, rows, cols }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => {
    let squares = 0;
    for (let c = i * cols; c < (i + 1) * cols; c++) squares += data[c] * data[c];
    return 1 / Math.sqrt(squares);
  });
}
