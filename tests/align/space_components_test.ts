import { assert, assertAlmostEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { responseComponents } from "../../src/align/space_components.ts";
import { denseEigen } from "../../src/linalg/dense_eigen.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("responseComponents() finds the components of more images than are solved densely, as their voxels' covariance has them", async () => {
  const images = 2_101, voxels = 70, rank = 30, components = 16;
  const [left, right] = [randomMatrix(images, rank, 1), randomMatrix(rank, voxels, 2)];
  const data = new Float32Array(images * voxels);
  for (let i = 0; i < images; i++) {
    for (let v = 0; v < voxels; v++) {
      let sum = 3;
      for (let k = 0; k < rank; k++) sum += left.data[i * rank + k] * right.data[k * voxels + v] * 0.8 ** k;
      data[i * voxels + v] = sum;
    }
  }
  const { targets, basis, held } = await responseComponents(
    gpu,
    { data, rows: images, cols: voxels },
    components,
  );

  const means = new Float64Array(voxels), covariance = new Float64Array(voxels * voxels);
  data.forEach((value, at) => means[at % voxels] += value / images);
  for (let i = 0; i < images; i++) {
    for (let v = 0; v < voxels; v++) {
      for (let w = 0; w < voxels; w++) {
        covariance[v * voxels + w] += (data[i * voxels + v] - means[v]) * (data[i * voxels + w] - means[w]);
      }
    }
  }
  const { vectors, values } = denseEigen(covariance, voxels, components);
  let trace = 0, sum = 0;
  for (let v = 0; v < voxels; v++) trace += covariance[v * voxels + v];
  for (let c = 0; c < components; c++) sum += values[c];
  assertAlmostEquals(held, sum / trace, 1e-5);
  for (let c = 0; c < components; c++) {
    // |T_c|² = S_c, as T = U S^½; and the basis points along the voxels' eigenvector.
    let length = 0, dot = 0, norm = 0;
    for (let i = 0; i < images; i++) length += targets.data[i * components + c] ** 2;
    for (let v = 0; v < voxels; v++) {
      dot += basis.data[v * components + c] * vectors[v * components + c];
      norm += basis.data[v * components + c] ** 2;
    }
    assertAlmostEquals(
      length,
      Math.sqrt(values[c]),
      1e-3 * Math.sqrt(values[c]),
      `component ${c}, seed ${testSeed}`,
    );
    assert(
      Math.abs(dot) > 0.9999 * Math.sqrt(norm),
      `component ${c}: cosine ${dot / Math.sqrt(norm)}, seed ${testSeed}`,
    );
  }
});
