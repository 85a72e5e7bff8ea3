import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { Matrix } from "../../mod.ts";
import { auditApproximation, type ExactAnswer } from "../../src/graph/audit.ts";
import { assertClose } from "../support/assert_close.ts";
import { largestPrincipalAngle, leadingColumns } from "../support/principal_angle.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { denseEigen } from "../../src/linalg/dense_eigen.ts";

const note = `seed ${testSeed}`;
const N = 97;

/** N orthonormal vectors as rows, in general position. */
function randomBasis(): Float64Array[] {
  const { data } = randomMatrix(N, N);
  const symmetric = Float64Array.from(data, (v, at) => v + data[at % N * N + Math.floor(at / N)]);
  const { vectors } = denseEigen(symmetric, N);
  return Array.from({ length: N }, (_, c) => Float64Array.from({ length: N }, (_, i) => vectors[i * N + c]));
}

function matrixOf(columns: ArrayLike<number>[]): Matrix {
  const cols = columns.length, rows = columns[0].length;
  const data = Float32Array.from(
    { length: rows * cols },
    (_, at) => columns[at % cols][Math.floor(at / cols)],
  );
  return { data, rows, cols };
}

/** cos θ · a + sin θ · b. */
function turned(a: Float64Array, b: Float64Array, degrees: number): Float64Array {
  const angle = degrees * Math.PI / 180;
  return a.map((value, i) => Math.cos(angle) * value + Math.sin(angle) * b[i]);
}

function answer(columns: Float64Array[], eigenvalues: number[], eigengap: number | null = 0.05): ExactAnswer {
  return {
    eigenvectors: matrixOf(columns),
    eigenvalues: Float64Array.from(eigenvalues),
    residuals: new Float64Array(columns.length).fill(1e-5),
    eigengap,
    degrees: Float32Array.from({ length: N }, (_, i) => 40 + (i * 31) % N),
  };
}

const LAMBDA = [1, 0.5, 0.3, 0.2];

Deno.test("auditApproximation() measures known angles", () => {
  const e = randomBasis(), exact = answer(e.slice(0, 4), LAMBDA);
  const known = [0.01, 2, 30, 89];
  const columns = known.map((degrees, c) => turned(e[c], e[10 + c], degrees));
  const audit = auditApproximation(exact, { eigenvectors: matrixOf(columns), eigenvalues: LAMBDA });
  assertClose(audit.angles, known, { relative: 0, absolute: 1e-4, note });
  assertClose(audit.leadingAngles, known, { relative: 0, absolute: 1e-4, note });
  assertEquals([audit.trusted, audit.limit], [2, 10], note);
  assertEquals(
    auditApproximation(exact, { eigenvectors: matrixOf(columns), eigenvalues: LAMBDA }, { limit: 1 }).trusted,
    1,
  );
  assertEquals(
    auditApproximation(exact, { eigenvectors: matrixOf(columns), eigenvalues: LAMBDA }, { limit: 31 })
      .trusted,
    3,
  );
});

Deno.test("auditApproximation() agrees with the float64 reference on any vectors", () => {
  const e = randomBasis(), exact = answer(e.slice(0, 4), LAMBDA);
  const columns = [0, 1, 2, 3].map((c) => turned(e[c], e[50 - c], 20 * c + 5));
  const { leadingAngles } = auditApproximation(exact, {
    eigenvectors: matrixOf(columns),
    eigenvalues: LAMBDA,
  });
  for (let c = 1; c <= 4; c++) {
    const angle = largestPrincipalAngle(
      leadingColumns(exact.eigenvectors, c),
      leadingColumns(matrixOf(columns), c),
      N,
      c,
    );
    assertAlmostEquals(leadingAngles[c - 1], angle * 180 / Math.PI, 1e-3, note);
  }
});

Deno.test("auditApproximation() compares spans: lengths, signs and mixtures within do not matter", () => {
  const e = randomBasis(), exact = answer(e.slice(0, 3), [1, 0.5, 0.3]);
  const mixed = [
    e[0].map((v, i) => -7 * v + 0 * i),
    e[1].map((v, i) => 0.5 * v + e[2][i]),
    e[1].map((v, i) => v - e[0][i]),
  ];
  const { angles, leadingAngles, trusted } = auditApproximation(exact, {
    eigenvectors: matrixOf(mixed),
    eigenvalues: [1, 0.5, 0.3],
  });
  assertClose(angles, [0, 0, 0], { relative: 0, absolute: 1e-4, note });
  assert(
    leadingAngles[0] < 1e-4 && leadingAngles[1] > 60 && leadingAngles[2] < 1e-4,
    `${leadingAngles}, ${note}`,
  );
  assertEquals(trusted, 3, note); // the span of the first two is wrong, that of all three is right
});

Deno.test("auditApproximation() counts columns that depend on others as right angles", () => {
  const e = randomBasis(), exact = answer(e.slice(0, 3), [1, 0.5, 0.3]);
  const columns = [e[0], e[1], e[1].map((v, i) => 2 * v + e[0][i])];
  const { angles, trusted } = auditApproximation(exact, {
    eigenvectors: matrixOf(columns),
    eigenvalues: [1, 0.5, 0.3],
  });
  assertClose(angles, [0, 0, 90], { relative: 0, absolute: 1e-4, note });
  assertEquals(trusted, 2);
});

Deno.test("auditApproximation() trusts no component whose eigengap the exact solve cannot resolve", () => {
  const e = randomBasis(), columns = e.slice(0, 4);
  const at = (eigenvalues: number[], gap: number | null) =>
    auditApproximation(answer(columns, eigenvalues, gap), { eigenvectors: matrixOf(columns), eigenvalues });
  assertEquals(at(LAMBDA, 0.1).trusted, 4);
  assertEquals(at(LAMBDA, 1e-6).trusted, 3);
  assertEquals(at([1, 0.5, 0.30001, 0.3], 1e-6).trusted, 2);
  assertEquals(at([1, 0.5, 0.3, 0.3], 0.1).trusted, 4);
  assertEquals(at([1, 0.5, 0.3, 0.3], 0.1).exactAngles[2], 90);
  const all = at(LAMBDA, null);
  assertEquals([all.eigengaps[3], all.exactAngles[3], all.trusted], [Infinity, 0, 4]);
  assertAlmostEquals(at(LAMBDA, 1e-3).exactAngles[3], Math.asin(2e-5 / 1e-3) * 180 / Math.PI, 1e-9);
});

Deno.test("auditApproximation() states eigenvalue errors, eigengaps and the weakest node", () => {
  const e = randomBasis(), exact = answer(e.slice(0, 4), LAMBDA);
  const audit = auditApproximation(exact, {
    eigenvectors: exact.eigenvectors,
    eigenvalues: [1, 0.45, 0.33, 0.2],
  });
  assertClose(audit.eigenvalueErrors, [0, 0.1, 0.1, 0], { relative: 1e-9 });
  assertClose(audit.eigengaps, [0.5, 0.2, 0.1, 0.05], { relative: 1e-9 });
  const { connected, smallestAffinity, smallestDegree, weakestNode, possibleDegree } = audit.connectivity;
  assertEquals([connected, smallestDegree, weakestNode], [true, 40, 0]);
  assertClose([smallestAffinity, possibleDegree], [Math.exp(-2), 1 + 96 * Math.exp(-2)], { relative: 1e-12 });
});

Deno.test("auditApproximation() refuses other nodes, other components and limits that are no angle", () => {
  const e = randomBasis(), exact = answer(e.slice(0, 4), LAMBDA);
  assertThrows(
    () => auditApproximation(exact, { eigenvectors: matrixOf(e.slice(0, 3)), eigenvalues: [1, 2, 3] }),
    RangeError,
    "The approximation is 97 × 3 with 3 eigenvalues, the exact answer 97 × 4",
  );
  const same = { eigenvectors: exact.eigenvectors, eigenvalues: LAMBDA };
  assertThrows(
    () => auditApproximation(exact, same, { limit: 90 }),
    RangeError,
    "limit is 90: an angle between",
  );
});
