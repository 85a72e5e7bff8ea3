/** p_{j|i} ∝ exp(−β_i d_ij²) with entropy log(perplexity), by 200 bisections in float64. */
export function perplexity(distances: ArrayLike<number>, k: number, wanted: number): Float64Array {
  const n = distances.length / k;
  const p = new Float64Array(n * k);
  for (let i = 0; i < n; i++) {
    const d = Array.from({ length: k }, (_, at) => distances[i * k] - distances[i * k + at]);
    const row = (beta: number) => {
      const e = d.map((value) => Math.exp(-beta * value));
      const sum = e.reduce((a, b) => a + b);
      return e.map((value) => value / sum);
    };
    const entropy = (q: number[]) =>
      -q.reduce((sum, value) => value > 0 ? sum + value * Math.log(value) : sum, 0);
    let low = 0, high = 1;
    while (entropy(row(high)) > Math.log(wanted) && high < 1e30) high *= 2;
    for (let step = 0; step < 200; step++) {
      const middle = (low + high) / 2;
      if (entropy(row(middle)) > Math.log(wanted)) low = middle;
      else high = middle;
    }
    p.set(row((low + high) / 2), i * k);
  }
  return p;
}
