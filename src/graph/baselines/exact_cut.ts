/** The exact normalised cut under the signature of all methods. */
import type { Gpu } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { assertKnown } from "../../linalg/check_options.ts";
import { normalizedCut } from "../normalized_cut.ts";
import { METHOD_OPTIONS, type MethodOptions, type MethodResult } from "./eigenvector_method.ts";

/**
 * The exact eigenvectors (Shi & Malik 2000), by `normalizedCut`; `landmarks` is not used.
 *
 * @param features n × d, row-major float32
 * @returns n × C vectors of D^−½ A D^−½, METHOD (3), with their eigenvalues, largest first
 * @throws Error "The eigenvectors of 900 nodes did not converge …"; as `normalizedCut`
 */
export async function exactCut(
  gpu: Gpu,
  features: Matrix,
  options: MethodOptions,
): Promise<MethodResult> {
  assertKnown("exactCut", options, METHOD_OPTIONS);
  const { components, seed = 0, signal } = options;
  const { eigenvectors, eigenvalues, converged, residuals } = await normalizedCut(gpu, features, {
    components,
    seed,
    signal,
  });
  if (!converged) {
    throw new Error(
      `The eigenvectors of ${features.rows} nodes did not converge: the largest residual is ${
        Math.max(...residuals).toExponential(1)
      }; ask for fewer components.`,
    );
  }
  return { eigenvectors, eigenvalues };
}
