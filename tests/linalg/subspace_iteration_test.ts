import { assert, assertEquals } from "@std/assert";
import { closeGpu, type Matrix, openGpu } from "../../mod.ts";
import { multiply } from "../../src/linalg/matmul.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { subspaceIteration, type SubspaceOptions } from "../../src/linalg/subspace_iteration.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { largestPrincipalAngle } from "../support/principal_angle.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";
import { residualSquares } from "../reference/residual_squares.ts";
import { symmetricEigen } from "../reference/symmetric_eigen.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;
const N = 200;

/** A random orthonormal basis of all of ℝᴺ: the eigenvectors of a random symmetric matrix. */
const basis = (() => {
  const { data } = randomMatrix(N, N);
  return symmetricEigen(data.map((v, at) => v + data[(at % N) * N + Math.floor(at / N)]), N).vectors;
})();

/** The symmetric matrix with these eigenvalues and the columns of `basis` as eigenvectors, rounded to float32. */
function withSpectrum(spectrum: (i: number) => number): Matrix {
  const scaled = basis.map((v, at) => v * spectrum(at % N));
  return { data: Float32Array.from(matmul(scaled, basis, N, N, N, false, true)), rows: N, cols: N };
}

async function solve(m: Matrix, options: SubspaceOptions) {
  const gm = uploadMatrix(gpu, m, "operator");
  const result = await subspaceIteration(gpu, {
    size: m.rows,
    apply: (x, out) => void multiply(gpu, gm, x, { out }),
  }, options);
  const { data, cols } = await downloadMatrix(gpu, result.eigenvectors);
  releaseMatrix(gpu, gm, result.eigenvectors);
  return { ...result, x: Float64Array.from(data), columns: cols };
}

/** ‖M x − λ x‖ of every column, in float64. */
function measuredResiduals(m: Matrix, x: Float64Array, eigenvalues: number[]): number[] {
  const c = eigenvalues.length;
  const mx = matmul(m.data, x, m.rows, m.rows, c);
  return [...residualSquares(mx, x, eigenvalues, m.rows, c)].map(Math.sqrt);
}

const SPECTRA: Record<string, (i: number) => number> = {
  "geometric, ratio 0.9": (i) => 0.9 ** i,
  "steep, ratio 0.5": (i) => 0.5 ** i,
  "six large and a floor": (i) => i < 6 ? 1 - i / 10 : 0.01,
  "slowly falling": (i) => 1 / (1 + i / 8),
  "degenerate: 1 four times, 0.5 three times": (i) => i < 4 ? 1 : i < 7 ? 0.5 : 0.1 / (i - 6),
  "the identity": () => 1,
  "rank two": (i) => i < 2 ? 1 - i / 2 : 0,
  "zero": () => 0,
};

Deno.test("subspaceIteration() finds the largest eigenpairs, with residuals that hold in float64", async (t) => {
  for (const [name, spectrum] of Object.entries(SPECTRA)) {
    await t.step(name, async () => {
      const components = 7;
      const m = withSpectrum(spectrum);
      const found = await solve(m, { components, tolerance: 1e-5 });
      assert(found.converged, `did not converge (${note})`);
      assertEquals([found.columns, found.eigenvalues.length, found.residuals.length], [7, 7, 7]);
      for (const [c, residual] of measuredResiduals(m, found.x, found.eigenvalues).entries()) {
        assert(
          residual <= 1.2e-5,
          `residual ${c} is ${residual} in float64, ${found.residuals[c]} as told, ${note}`,
        );
      }
      const gram = matmul(found.x, found.x, components, N, components, true);
      const identity = gram.map((_, at) => Number(at % (components + 1) === 0));
      assertClose(gram, identity, { relative: 1e-4, note });
      const expected = Array.from({ length: components }, (_, i) => spectrum(i));
      assertClose(found.eigenvalues.toSorted((a, b) => b - a), expected, {
        relative: 1e-5,
        absolute: 1e-5,
        note,
      });
      assertClose([found.nextEigenvalue], [spectrum(components)], { relative: 0.01, absolute: 0.01, note });
    });
  }
});

Deno.test("subspaceIteration() goes on where only the pair after the last one is missing", async () => {
  const components = 19, width = 32, m = withSpectrum((i) => 1 / (1 + i / 8));
  const random = randomMatrix(N, width).data;
  const data = random.map((value, at) =>
    at % width < components ? basis[Math.floor(at / width) * N + at % width] : value
  );
  const start = uploadMatrix(gpu, { data, rows: N, cols: width }, "exact columns and random ones");
  const pairs: number[] = [];
  const found = await solve(m, { components, start, onProgress: (done) => pairs.push(done) });
  assertEquals(pairs[0], components, `all wanted pairs are there at once (${note})`);
  assert(found.applications > 1, `the next one is not (${note})`);
  assert(found.converged, note);
  assertClose([found.nextEigenvalue], [1 / (1 + components / 8)], { relative: 1e-2, note });
  const residuals = measuredResiduals(m, found.x, found.eigenvalues);
  assert(residuals.every((residual) => residual <= 1.5e-5), `${residuals} (${note})`);
});

Deno.test("subspaceIteration() spans the eigenspace up to a gap", async () => {
  const components = 7;
  const found = await solve(withSpectrum(SPECTRA["degenerate: 1 four times, 0.5 three times"]), {
    components,
  });
  const expected = Float64Array.from(
    { length: N * components },
    (_, at) => basis[Math.floor(at / components) * N + at % components],
  );
  const angle = largestPrincipalAngle(expected, found.x, N, components);
  assert(angle <= 1e-4, `the largest principal angle is ${angle}, ${note}`);
});

Deno.test("subspaceIteration() says so when it gives up, with residuals that are true", async () => {
  const m = withSpectrum((i) => 1 - i / 1000); // hardly falling: nothing to converge to within a few applications
  const found = await solve(m, { components: 5, maxApplications: 3 });
  assertEquals([found.converged, found.columns], [false, 5]);
  assert(found.applications <= 3 + 24, `took ${found.applications} applications`);
  const measured = measuredResiduals(m, found.x, found.eigenvalues);
  assert(Math.max(...measured) > 1e-5, "it had converged");
  assertClose(found.residuals, measured, { relative: 1e-3, note });
});

Deno.test("subspaceIteration() gives the same bits for the same seed and others for another", async () => {
  const m = withSpectrum(SPECTRA["geometric, ratio 0.9"]);
  const [a, b, c] = [
    await solve(m, { components: 4, seed: 3 }),
    await solve(m, { components: 4, seed: 3 }),
    await solve(m, { components: 4, seed: 4 }),
  ];
  assertSameBits(Float32Array.from(a.x), Float32Array.from(b.x), note);
  assertEquals([a.eigenvalues, a.residuals, a.applications], [b.eigenvalues, b.residuals, b.applications]);
  assert(a.x.some((v, i) => v !== c.x[i]), "two seeds gave the same bits");
});

Deno.test("subspaceIteration() keeps what it finds orthogonal to eigenvectors already known", async () => {
  // Two pairs taken out of the operator; what is left has eigenvalues down to 0, whose vectors could be any.
  const m = withSpectrum((i) => i < 2 || i > 5 ? 0 : 1e-3 / i);
  const data = Float32Array.from({ length: N * 2 }, (_, at) => basis[Math.floor(at / 2) * N + at % 2]);
  const known = uploadMatrix(gpu, { data, rows: N, cols: 2 }, "known");
  const found = await solve(m, { components: 7, known: [known] });
  releaseMatrix(gpu, known);
  const overlap = matmul(data, found.x, 2, N, 7, true);
  assertClose(overlap, new Float64Array(14), { relative: 0, absolute: 2e-6, note });
});

Deno.test("subspaceIteration() tells its progress, ending with all pairs", async () => {
  const told: [number, number][] = [];
  const m = withSpectrum(SPECTRA["geometric, ratio 0.9"]);
  const found = await solve(m, { components: 5, onProgress: (done, wanted) => told.push([done, wanted]) });
  assertEquals(told.length, found.applications);
  assertEquals(told.at(-1), [5, 5]);
  assertEquals(told.map(([done]) => done), told.map(([done]) => done).toSorted((a, b) => a - b));
});

Deno.test("subspaceIteration() returns every buffer it took but the eigenvectors", async () => {
  const before = gpu.memory.inUse;
  await solve(withSpectrum(SPECTRA["geometric, ratio 0.9"]), { components: 7 });
  assertEquals(gpu.memory.inUse, before);
});
