/** Graphs whose spectra stall eigensolvers: flat, degenerate, of low rank, without gaps. */
import { closeGpu, normalizedCut, openGpu } from "../../mod.ts";
import { featuresOf, surveyInputs } from "../../tasks/survey/inputs.ts";
import { judge } from "../../tasks/survey/truth.ts";
import type { FaultFamily } from "./family.ts";

const TOLERANCE = 1e-5;

export const spectra: FaultFamily = {
  name: "spectra",
  title:
    "fewer channels or clusters than components, duplicates, equal and nearly parallel rows, one channel a row",
  async run({ quick, seed, report }) {
    const gpu = await openGpu(), failures: string[] = [];
    const inputs = surveyInputs(seed, false).filter(({ n, d }) => quick ? n < 400 && d < 100 : n < 1000);
    let tried = 0;
    try {
      for (const input of inputs) {
        const { family, n, d, components } = input, x = featuresOf(input);
        for (const storage of [undefined, "stored"] as const) {
          const what = `${family}, ${n} × ${d}, ${components} components, storage ${storage ?? "by default"}`;
          const cut = await normalizedCut(gpu, x, { components, tolerance: TOLERANCE, storage });
          const { residual, valueError, angleShare } = judge(x, cut);
          tried++;
          if (!cut.converged) failures.push(`${what}: not converged, ${Math.max(...cut.residuals)}`);
          if (!(residual <= 1.2 * TOLERANCE)) failures.push(`${what}: a residual of ${residual} in float64`);
          if (!(valueError! <= TOLERANCE)) failures.push(`${what}: an eigenvalue is ${valueError} off`);
          if ((angleShare ?? 0) > 1) {
            failures.push(`${what}: an angle of ${angleShare} times what is allowed`);
          }
        }
      }
      report(`${tried} cuts`);
    } finally {
      closeGpu(gpu);
    }
    return { tried, failures };
  },
};
