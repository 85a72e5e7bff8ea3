import { assert, assertEquals } from "@std/assert";
import {
  closeGpu,
  fitNystrom,
  type Matrix,
  matrixSource,
  type NormalizedCut,
  normalizedCut,
  openGpu,
  rayleighQuotients,
  twoWayCut,
} from "../../mod.ts";
import { releaseUnitRows, uploadUnitRows } from "../../src/graph/affinity.ts";
import { affinityOperator } from "../../src/graph/affinity_operator.ts";
import { denseEigen } from "../../src/linalg/dense_eigen.ts";
import { allocateMatrix, downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { largestPrincipalAngle } from "../support/principal_angle.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { deflatedAffinity } from "../reference/normalized_cut.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

/** Three clusters of tokens, and what vision transformers put on top of them. */
function clusters(
  n: number,
  d: number,
  change: (value: number, row: number, channel: number) => number,
): Matrix {
  const centres = randomMatrix(3, d, 1), x = randomMatrix(n, d);
  x.data = x.data.map((v, at) => {
    const row = Math.floor(at / d), channel = at % d;
    return change(centres.data[row % 3 * d + channel] + 0.1 * v, row, channel);
  });
  return x;
}

/** Families of nodes whose affinities are 1 to float32's last digits. */
const FAMILIES: [string, (n: number, d: number) => Matrix][] = [
  ...[10, 1e3, 1e5].map((size): [string, (n: number, d: number) => Matrix] => [
    `three clusters, a common channel of ${size}`,
    (n, d) => clusters(n, d, (v, _, k) => k === 0 ? size : v),
  ]),
  [
    "three clusters, a channel of 200 to 400",
    (n, d) => clusters(n, d, (v, i, k) => k === 0 ? 200 * (1 + i % 7 / 6) : v),
  ],
  [
    "three clusters, a common channel of 300, and one token in a hundred with another",
    (n, d) => clusters(n, d, (v, i, k) => k === Number(i % 100 === 7) ? 300 : v),
  ],
  [
    "three clusters, rows of 1e-20 to 1e20",
    (n, d) => clusters(n, d, (v, i, k) => (k === 0 ? 1e3 : v) * 10 ** (i % 41 - 20)),
  ],
  ...[1e-3, 1e-5].map((noise): [string, (n: number, d: number) => Matrix] => [
    `one vector and ${noise} of noise`,
    (n, d) => {
      const base = randomMatrix(1, d, 2).data, x = randomMatrix(n, d);
      return { ...x, data: x.data.map((v, at) => base[at % d] + noise * v) };
    },
  ]),
];

function columnOf({ data, rows, cols }: Matrix, c: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => data[i * cols + c]);
}

/**
 * What four roundings to float32 can add to ‖M′ x‖ for this x: more than the operator's floor, which is for vectors spread
 * over all nodes, where x lies on few that are far from all others.
 */
function roundingOf(shares: Float64Array, x: Float64Array, floor: number): number {
  const squares = shares.reduce((sum, share, i) => sum + (share * x[i]) ** 2, 0);
  return Math.max(floor, 4 * 2 ** -24 * Math.sqrt(squares));
}

/** ‖M′ x − λ x‖ in float64. */
function residualOf(m: Float64Array, x: Float64Array, value: number): number {
  const n = x.length;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    let sum = -value * x[i];
    for (let j = 0; j < n; j++) sum += m[i * n + j] * x[j];
    squares += sum * sum;
  }
  return Math.sqrt(squares);
}

/** What a cut says of itself must hold in float64, and the vectors must be those that its residuals and the gaps allow. */
function assertHonest(cut: NormalizedCut, x: Matrix, floor: number, why: string): void {
  const n = x.rows, { eigenvectors: y, eigenvalues } = cut, count = eigenvalues.length;
  const { m, q, shares } = deflatedAffinity(x.data, n, x.cols), exact = denseEigen(m, n, count);
  assert(cut.converged, `did not converge, ${why}`);
  assertClose(columnOf(y, 0), q, { relative: 1e-6, note: why });
  assert(cut.residuals[0] <= 1e-6, `the first residual is ${cut.residuals[0]}, ${why}`);
  let squares = 0;
  for (let c = 1; c < count; c++) {
    const value = eigenvalues[c], vector = columnOf(y, c), residual = residualOf(m, vector, value);
    const rounding = roundingOf(shares, vector, floor);
    squares += residual ** 2;
    const allowed = Math.max(0.01 * value, floor);
    assert(residual <= 1.2 * allowed + 2 * rounding, `${c}: ${residual} of ${value} in float64, ${why}`);
    assert(
      Math.abs(residual - cut.residuals[c]) <= 0.1 * residual + 3 * rounding,
      `residual ${c} is ${cut.residuals[c]}, ${residual} in float64, ${why}`,
    );
    // Weyl: an eigenvalue is within a residual of λ; in order, since none is missed.
    const off = Math.abs(value - exact.values[c - 1]);
    assert(
      off <= Math.sqrt(squares) + 3 * floor,
      `λ ${c} is ${value}, ${exact.values[c - 1]} in float64, ${why}`,
    );
    const gap = exact.values[c - 1] - exact.values[c];
    if (value <= 3 * floor || !(gap > 10 * (Math.sqrt(squares) + floor))) continue;
    const ours = new Float64Array(n * c), theirs = new Float64Array(n * c);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < c; k++) {
        ours[i * c + k] = y.data[i * count + k + 1];
        theirs[i * c + k] = exact.vectors[i * count + k];
      }
    }
    const angle = largestPrincipalAngle(theirs, ours, n, c),
      bound = 2 * (Math.sqrt(squares) + 3 * floor) / gap;
    assert(Math.sin(angle) <= bound + 1e-6, `the first ${c} are ${angle} rad off, ${bound} allowed, ${why}`);
  }
}

Deno.test("normalizedCut() is right, relative to λ, where tokens are nearly parallel", async (t) => {
  for (const [name, make] of FAMILIES) {
    for (
      const [n, d, storages] of [
        [131, 3, ["stored", "tiled"]],
        [211, 17, ["stored"]],
        [40, 17, [undefined]],
        [
          131,
          768,
          ["stored"],
        ],
      ] as const
    ) {
      await t.step(`${name}, ${n} × ${d}`, async () => {
        const x = make(n, d), nodes = uploadUnitRows(gpu, x), operator = await affinityOperator(gpu, nodes);
        operator.release();
        releaseUnitRows(gpu, nodes);
        for (const storage of storages) {
          const cut = await normalizedCut(gpu, x, { components: 4, storage });
          assertHonest(cut, x, Math.max(operator.floor!, 1e-14), `${storage}, ${note}`);
        }
      });
    }
  }
});

Deno.test("normalizedCut() parts three clusters below a common channel of 1000 and 100000", async () => {
  for (const [size, n] of [[1e3, 1001], [1e5, 401]]) {
    const x = clusters(n, 17, (v, _, k) => k === 0 ? size : v);
    const cut = await normalizedCut(gpu, x, { components: 3, storage: "stored" });
    const { m } = deflatedAffinity(x.data, n, 17), exact = denseEigen(m, n, 2);
    assert(cut.converged && cut.resolved === 3, note);
    assertClose(cut.eigenvalues.subarray(1), exact.values.subarray(0, 2), { relative: 1e-3, note });
    const ours = new Float64Array(2 * n);
    for (let i = 0; i < n; i++) ours.set(cut.eigenvectors.data.subarray(3 * i + 1, 3 * i + 3), 2 * i);
    const angle = largestPrincipalAngle(exact.vectors, ours, n, 2);
    assert(angle < 0.02, `${angle} rad off, ${size}, ${note}`);
  }
});

Deno.test("the first pair's residual is small beside the rest of the spectrum at any n, stored or tiled", async () => {
  for (const n of [301, 3001]) {
    const base = randomMatrix(1, 3, 2).data, noise = randomMatrix(n, 3);
    const alike = { ...noise, data: noise.data.map((v, at) => base[at % 3] + 1e-3 * v) };
    for (const storage of ["stored", "tiled"] as const) {
      const cut = await normalizedCut(gpu, alike, { components: 3, storage });
      const { residuals } = await normalizedCut(gpu, noise, { components: 3, storage });
      assert(cut.converged, note);
      assert(residuals[0] <= 6e-7, `${residuals[0]}, ${n} nodes, ${storage}, ${note}`);
      assert(
        cut.residuals[0] <= 1e-4 * cut.eigenvalues[1],
        `${cut.residuals[0]} beside ${cut.eigenvalues[1]}, ${n} nodes, ${storage}, ${note}`,
      );
    }
  }
});

Deno.test("the operator's floor is what float32 leaves of float64's eigenvectors", async () => {
  const n = 211;
  for (const [name, make] of FAMILIES) {
    const x = make(n, 17), { m, q, shares } = deflatedAffinity(x.data, n, 17);
    const exact = denseEigen(m, n, 6);
    const vectors = { data: Float32Array.from(exact.vectors), rows: n, cols: 6 };
    for (let i = 0; i < n; i++) vectors.data[6 * i + 5] = q[i];
    const nodes = uploadUnitRows(gpu, x), operator = await affinityOperator(gpu, nodes);
    const y = uploadMatrix(gpu, vectors, "vectors"), out = allocateMatrix(gpu, n, 6, "images");
    operator.apply(y, out);
    const { data } = await downloadMatrix(gpu, out);
    for (let c = 0; c < 6; c++) {
      const value = c < 5 ? exact.values[c] : 0;
      let squares = 0;
      for (let i = 0; i < n; i++) squares += (data[6 * i + c] - value * vectors.data[6 * i + c]) ** 2;
      const off = Math.sqrt(squares) / roundingOf(shares, columnOf(vectors, c), operator.floor!);
      const allowed = c === 5 ? 6 : 2; // the first eigenvector is all of one sign: its roundings add up
      assert(off <= allowed, `${name}: vector ${c} is ${off} floors off, ${note}`);
    }
    operator.release();
    releaseUnitRows(gpu, nodes);
    releaseMatrix(gpu, y, out);
  }
});

Deno.test("Fowlkes' Nyström finds three clusters below a common channel of 10 to 1000", async () => {
  for (const size of [10, 100, 1000]) {
    const n = 211, x = clusters(n, 17, (v, _, k) => k === 0 ? size : v), nodes = matrixSource(x);
    const fit = await fitNystrom(gpu, nodes, { landmarks: 70, neighbors: "all", components: 3, seed: 1 });
    const found = await fit.transform(nodes);
    const exact = denseEigen(deflatedAffinity(x.data, n, 17).m, n, 2), ours = new Float64Array(2 * n);
    for (let i = 0; i < n; i++) ours.set(found.data.subarray(3 * i + 1, 3 * i + 3), 2 * i);
    const angle = largestPrincipalAngle(exact.vectors, ours, n, 2);
    assert(angle < 0.02, `${angle} rad off, ${size}, ${note}`);
    const values = exact.values.subarray(0, 2);
    assertClose(fit.cut.eigenvalues.subarray(1), values, { relative: 0.01, note: `${size}, ${note}` });
  }
});

Deno.test("rayleighQuotients() are right, relative to λ, below a common channel of 10 to 100000", async () => {
  for (const size of [10, 1e3, 1e5]) {
    const n = 131, x = clusters(n, 17, (v, _, k) => k === 0 ? size : v);
    const { m, q } = deflatedAffinity(x.data, n, 17), exact = denseEigen(m, n, 2);
    const data = Float32Array.from({ length: 3 * n }, (_, at) => {
      const i = Math.floor(at / 3), c = at % 3;
      return c === 0 ? q[i] : exact.vectors[2 * i + c - 1];
    });
    const quotients = await rayleighQuotients(gpu, x, { data, rows: n, cols: 3 });
    for (const [c, value] of [1, exact.values[0], exact.values[1]].entries()) {
      assertClose([quotients[c]], [value], { relative: 1e-4, note: `${size}, column ${c}, ${note}` });
    }
  }
});

Deno.test("twoWayCut() finds a figure below a common channel of 1000", async () => {
  const grid = { rows: 8, cols: 8 },
    isInside = (i: number) => i % 8 > 2 && i % 8 < 6 && i >> 3 > 1 && i >> 3 < 6;
  const centres = randomMatrix(2, 17, 1).data, noise = randomMatrix(64, 17).data;
  const data = noise.map((v, at) => {
    const i = Math.floor(at / 17), k = at % 17;
    return k === 0 ? 1e3 : centres[17 * Number(isInside(i)) + k] + 0.05 * v;
  });
  const cut = await twoWayCut(gpu, { data, rows: 64, cols: 17 }, { grid });
  assertEquals([...cut.foreground], Array.from({ length: 64 }, (_, i) => Number(isInside(i))), note);
  assert(cut.confidence > 0.8, `confidence ${cut.confidence}, ${note}`);
});
