import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  auditApproximation,
  closeGpu,
  fitNystrom,
  matrixSource,
  normalizedCut,
  openGpu,
  rayleighQuotients,
} from "../../mod.ts";
import { chooseNeighborSearch } from "../../src/pipeline/neighbor_search.ts";
import { loadNystrom, saveNystrom } from "../../src/data/fits/nystrom_file.ts";
import { denseEigen } from "../../src/linalg/dense_eigen.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { testSeed } from "../support/random.ts";

const gpu = await openGpu(), note = `seed ${testSeed}`;
Deno.test.afterAll(() => closeGpu(gpu));

/** Eigenvalues, degrees and M Y of the graph that the method takes, F Fᵀ with F = [A B]ᵀ A^−½, in float64. */
function reference(x: Matrix, chosen: Uint32Array) {
  const n = x.rows, m = chosen.length;
  const unit = Array.from({ length: n }, (_, i) => {
    const row = [...x.data.subarray(i * x.cols, (i + 1) * x.cols)], norm = Math.hypot(...row);
    return row.map((value) => value / norm);
  });
  const affinity = (i: number, j: number) =>
    Math.exp(unit[i].reduce((sum, value, k) => sum + value * unit[j][k], 0) - 1);
  const a = new Float64Array(m * m);
  for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) a[i * m + j] = affinity(chosen[i], chosen[j]);
  const { values, vectors } = denseEigen(a, m);
  const f = Array.from({ length: n }, (_, i) => {
    const b = Array.from(chosen, (j) => affinity(i, j));
    return [...values].flatMap((value, c) =>
      value > 1e-6 * values[0]
        ? [b.reduce((sum, v, r) => sum + v * vectors[r * m + c], 0) / Math.sqrt(value)]
        : []
    );
  });
  const sums = f[0].map((_, c) => f.reduce((sum, row) => sum + row[c], 0));
  const degrees = f.map((row) => row.reduce((sum, value, c) => sum + value * sums[c], 0));
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      matrix[i * n + j] = f[i].reduce((sum, value, c) => sum + value * f[j][c], 0) /
        Math.sqrt(degrees[i] * degrees[j]);
    }
  }
  return { matrix, values: denseEigen(matrix, n).values };
}

Deno.test("fitNystrom() with all neighbours has the eigenpairs of F Fᵀ in float64, on awkward shapes", async (t) => {
  for (const [n, m, d, c] of [[1, 1, 1, 1], [7, 5, 3, 2], [131, 67, 13, 5], [211, 30, 24, 7]]) {
    await t.step(`${n} nodes, ${m} landmarks, ${d} channels, ${c} components`, async () => {
      const x = clusteredNodes(n, d, Math.min(n, 6), 0.5, testSeed + n), nodes = matrixSource(x);
      const fit = await fitNystrom(gpu, nodes, {
        landmarks: m,
        neighbors: "all",
        components: c,
        sampling: "uniform",
        seed: testSeed,
      });
      const { data: y } = await fit.transform(nodes);
      const { matrix, values } = reference(x, Uint32Array.from(fit.landmarks.indices));
      assertClose(fit.cut.eigenvalues, values.subarray(0, c), { relative: 1e-4, note });
      for (let k = 0; k < c; k++) {
        let square = 0, length = 0;
        for (let i = 0; i < n; i++) {
          let image = 0;
          for (let j = 0; j < n; j++) image += matrix[i * n + j] * y[j * c + k];
          square += (image - values[k] * y[i * c + k]) ** 2;
          length += y[i * c + k] ** 2;
        }
        assert(
          Math.sqrt(square) < 2e-3 * Math.max(values[k], 0.05),
          `component ${k}: residual ${Math.sqrt(square)}, ${note}`,
        );
        assertAlmostEquals(length, 1, 2e-3, note);
      }
      assertEquals(gpu.memory.inUse, 0);
    });
  }
});

Deno.test("fitNystrom() with all neighbours gives panels and new nodes what it gives their copies, better than the K nearest", async () => {
  const x = clusteredNodes(4600, 24, 6, 0.6, testSeed), nodes = matrixSource(x);
  const exact = await normalizedCut(gpu, x, { components: 6, tolerance: 1e-6 });
  const angle = async (neighbors: number | "all") => {
    const fit = await fitNystrom(gpu, nodes, {
      landmarks: 150,
      neighbors,
      components: 6,
      sampling: "uniform",
      seed: testSeed,
    });
    const eigenvectors = await fit.transform(nodes);
    if (neighbors === "all") {
      const rows = Uint32Array.from(fit.landmarks.indices.subarray(0, 9));
      const few = await fit.transform(matrixSource(rowsOf(x, rows)));
      assertEquals(few.data, rowsOf(eigenvectors, rows).data);
      assertClose(few.data, fit.cut.eigenvectors.data.subarray(0, 9 * 6), { relative: 1e-3, note });
    }
    const eigenvalues = await rayleighQuotients(gpu, x, eigenvectors);
    return auditApproximation(exact, { eigenvectors, eigenvalues }).leadingAngles[5];
  };
  const all = await angle("all"), nearest = await angle(32);
  assert(all < 5 && all < nearest / 2, `${all} and ${nearest} degrees, ${note}`);
});

function rowsOf({ data, cols }: Matrix, rows: Uint32Array): Matrix {
  const out = Float32Array.from(
    { length: rows.length * cols },
    (_, at) => data[rows[Math.floor(at / cols)] * cols + at % cols],
  );
  return { data: out, rows: rows.length, cols };
}

Deno.test("a model with all neighbours is saved and loaded, takes no other search, and says when landmarks are too many", async () => {
  const nodes = matrixSource(clusteredNodes(200, 5, 4, 0.4, testSeed));
  const fit = await fitNystrom(gpu, nodes, { landmarks: 60, neighbors: "all", components: 4 });
  await inTemporaryFolder(async (folder) => {
    await saveNystrom(`${folder}/fit.arrow`, fit);
    const loaded = await loadNystrom(gpu, `${folder}/fit.arrow`);
    assertEquals((await loaded.transform(nodes)).data, (await fit.transform(nodes)).data);
  });
  const many = matrixSource(clusteredNodes(2100, 2, 4, 0.4, testSeed));
  await assertRejects(
    () => fitNystrom(gpu, many, { landmarks: 2049, neighbors: "all", components: 4 }),
    RangeError,
    "at most 2048",
  );
  await assertRejects(() => chooseNeighborSearch(gpu, fit, nodes, "hnsw"), RangeError, 'neighbors "all"');
});

Deno.test("fitNystrom() with all neighbours gives as many components as the landmarks have rank, and says how many are missing", async () => {
  const data = Float32Array.from({ length: 90 }, (_, at) => [1, 2, 3, -1, 1, 2, 3, 1, -2][at % 9]);
  const nodes = matrixSource({ data, rows: 30, cols: 3 }); // three different nodes
  const fit = await fitNystrom(gpu, nodes, { landmarks: 20, neighbors: "all", components: 8 });
  assertEquals([fit.cut.eigenvectors.cols, fit.cut.eigenvalues.length, fit.missing], [3, 3, 5]);
  assertEquals([fit.cut.converged, fit.cut.residuals.every((residual) => residual <= 1e-5)], [true, true]);
  assertEquals((await fit.transform(nodes)).cols, 3);
});
