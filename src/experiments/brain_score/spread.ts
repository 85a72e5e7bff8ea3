/** How scores vary over seeds. */
import { deviation, mean } from "../../statistics/summary.ts";

/** Mean and spread over seeds. */
export interface Spread {
  mean: number;
  sd: number;
  standardError: number;
}

/** Mean, standard deviation and standard error of some values. */
export function spread(values: number[]): Spread {
  const sd = values.length < 2 ? 0 : deviation(values);
  return { mean: mean(values), sd, standardError: sd / Math.sqrt(values.length) };
}
