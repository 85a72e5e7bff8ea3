/** Products of float64 matrices on the host. */

/** Values of a row that stay in the cache while they are summed. */
const RUN = 512;

/**
 * out[r] += Σ_k factors[r, k] · row k, for as many r as there are factors: two rows of out and four of the source at once.
 *
 * @param factors row-major, as many columns as the source has rows; where eight in question are 0 they are passed over
 * @param source where each row begins in `data`, and how many values of it count
 * @param out rows of `stride` values, the first of which begins at `first`
 */
export function combineRows(
  factors: Float64Array,
  source: { data: Float64Array; rows: number[]; length: number },
  out: { data: Float64Array; stride: number; first: number },
): void {
  const { data, rows, length } = source, inner = rows.length;
  const count = inner > 0 ? factors.length / inner : 0;
  const four = new Float64Array(8);
  for (let begin = 0; begin < length; begin += RUN) {
    const run = Math.min(RUN, length - begin);
    for (let k = 0; k < inner; k += 4) {
      const [a, b, c, d] = [0, 1, 2, 3].map((i) => rows[Math.min(k + i, inner - 1)] + begin);
      const taken = Math.min(4, inner - k);
      for (let r = 0; r < count; r += 2) {
        four.fill(0);
        let isZero = true;
        for (let i = 0; i < taken; i++) {
          four[i] = factors[r * inner + k + i];
          if (r + 1 < count) four[4 + i] = factors[(r + 1) * inner + k + i];
          isZero &&= four[i] === 0 && four[4 + i] === 0;
        }
        if (isZero) continue;
        const x = out.first + r * out.stride + begin, add = r + 1 < count ? pair : single;
        add(data, a, b, c, d, four, out.data, x, x + out.stride, run);
      }
    }
  }
}

function pair(
  data: Float64Array,
  a: number,
  b: number,
  c: number,
  d: number,
  factors: Float64Array,
  out: Float64Array,
  x: number,
  y: number,
  run: number,
): void {
  const [f0, f1, f2, f3, g0, g1, g2, g3] = factors;
  for (let j = 0; j < run; j++) {
    const p = data[a + j], q = data[b + j], s = data[c + j], t = data[d + j];
    out[x + j] += f0 * p + f1 * q + f2 * s + f3 * t;
    out[y + j] += g0 * p + g1 * q + g2 * s + g3 * t;
  }
}

function single(
  data: Float64Array,
  a: number,
  b: number,
  c: number,
  d: number,
  factors: Float64Array,
  out: Float64Array,
  x: number,
  _: number,
  run: number,
): void {
  const [f0, f1, f2, f3] = factors;
  for (let j = 0; j < run; j++) {
    out[x + j] += f0 * data[a + j] + f1 * data[b + j] + f2 * data[c + j] + f3 * data[d + j];
  }
}
