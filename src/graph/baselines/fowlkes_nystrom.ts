/** The Nyström method with orthogonalised eigenvectors. */
import type { Gpu } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { matrixSource } from "../node_source.ts";
import { assertKnown } from "../../linalg/check_options.ts";
import { fixSigns } from "../../linalg/fix_signs.ts";
import { fitNystrom } from "../nystrom.ts";
import { METHOD_OPTIONS, type MethodOptions, type MethodResult } from "./eigenvector_method.ts";

/**
 * Fowlkes, Belongie, Chung & Malik 2004 on random landmarks, the same as `fitNystrom` with `neighbors: "all"`.
 *
 * @param features n × d, row-major float32
 * @param options `landmarks` m, default 500 or all nodes
 * @returns n × C vectors and their eigenvalues, largest first
 * @throws RangeError when landmarks are fewer than components or more than nodes, or naming a bad node
 */
export async function fowlkesNystrom(
  gpu: Gpu,
  features: Matrix,
  options: MethodOptions,
): Promise<MethodResult> {
  assertKnown("fowlkesNystrom", options, METHOD_OPTIONS);
  const n = features.rows, { components, landmarks: m = Math.min(n, 500), seed = 0, signal } = options;
  if (
    !(Number.isInteger(components) && components >= 1 && Number.isInteger(m) && m >= components && m <= n)
  ) {
    throw new RangeError(
      `landmarks is ${m}: ${components} eigenvectors of ${n} nodes need ${components} to ${n} landmarks.`,
    );
  }
  const nodes = matrixSource(features);
  const fit = await fitNystrom(gpu, nodes, {
    landmarks: m,
    neighbors: "all",
    components,
    sampling: "uniform",
    seed,
    signal,
  });
  const eigenvectors = await fit.transform(nodes, { signal });
  fixSigns(eigenvectors);
  return { eigenvectors, eigenvalues: fit.cut.eigenvalues };
}
