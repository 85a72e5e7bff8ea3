/** How scores vary over seeds. */
/** Mean and spread over seeds. */
export interface Spread {
  mean: number;
  sd: number;
  standardError: number;
}

/** Mean, standard deviation and standard error of some values. */
export function spread(values: number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const sd = values.length < 2
    ? 0
    : Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
  return { mean, sd, standardError: sd / Math.sqrt(values.length) };
}
