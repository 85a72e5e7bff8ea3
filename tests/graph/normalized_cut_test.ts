import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  closeGpu,
  type Gpu,
  type Matrix,
  type NormalizedCut,
  normalizedCut,
  type NormalizedCutOptions,
  openGpu,
} from "../../mod.ts";
import { cutWarning } from "../../src/graph/normalized_cut.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import { mixture } from "../../tasks/bench/mixture.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { FEATURES } from "../golden/features.ts";
import golden from "../golden/normalized_cut.json" with { type: "json" };
import { largestPrincipalAngle, leadingColumns } from "../support/principal_angle.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";
import { normalizedAffinity, normalizedCut as reference } from "../reference/normalized_cut.ts";
import { residualSquares } from "../reference/residual_squares.ts";
import { BINDINGS, withBindings, withMemory } from "../support/simulated_limits.ts";
import { grouped, oneChannelEach, repeated, rowsOf } from "../support/cut_inputs.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

/** Subspaces are compared where the spectrum has a gap of this: a residual of 1e-5 then turns them by less than 1e-3. */
const CLEAR_GAP = 7e-3;

const note = `seed ${testSeed}`;

/** What must hold of every result: shape, order, orthonormal columns, signs, and residuals as they are in float64. */
function assertSound(cut: NormalizedCut, x: Matrix, components: number, tolerance = 1e-5): void {
  const { eigenvectors: y, eigenvalues, residuals } = cut;
  const n = x.rows;
  assertEquals([y.rows, y.cols, eigenvalues.length, residuals.length], [
    n,
    components,
    components,
    components,
  ]);
  assertClose([eigenvalues[0]], [1], { relative: 1e-6, note });
  assertEquals([...eigenvalues], [...eigenvalues].toSorted((a, b) => b - a), note);
  const gram = matmul(y.data, y.data, components, n, components, true);
  assertClose(gram, gram.map((_, at) => Number(at % (components + 1) === 0)), { relative: 1e-4, note });
  const { m, degrees } = normalizedAffinity(x.data, n, x.cols);
  assertClose(cut.degrees, degrees, { relative: 1e-6, note });
  const my = matmul(m, y.data, n, n, components);
  const measured = residualSquares(my, y.data, eigenvalues, n, components).map(Math.sqrt);
  assertClose(residuals, measured, { relative: 0, absolute: 2e-6, note });
  assert(cut.converged, `did not converge, ${note}`);
  for (let c = 0; c < components; c++) {
    assert(measured[c] <= 1.2 * tolerance, `residual ${c} is ${measured[c]} in float64, ${note}`);
    let sum = 0, magnitude = 0;
    for (let i = 0; i < n; i++) {
      sum += y.data[i * components + c];
      magnitude += Math.abs(y.data[i * components + c]);
    }
    assert(sum >= -2e-5 * magnitude, `column ${c} sums to ${sum}, ${note}`);
  }
}

Deno.test("normalizedCut() meets the golden eigenvalues and subspaces", async (t) => {
  for (const { name, rows, cols, sum, eigenvalues, degrees, eigenvectors } of golden.cases) {
    const x = FEATURES[name]();
    const components = golden.components;
    await t.step(`${name}: the inputs are those of the golden numbers`, () => {
      assertEquals([x.rows, x.cols], [rows, cols]);
      assertEquals(Math.fround(x.data.reduce((total, v) => total + v, 0)), Math.fround(sum));
    });
    const cut = await normalizedCut(gpu, x, { components });
    await t.step(`${name}: eigenvalues within 1e-5, degrees and eigengap`, () => {
      assert(cut.converged);
      assertClose(cut.eigenvalues, eigenvalues.slice(0, components), { relative: 0, absolute: 1e-5 });
      assertClose([cut.degrees[0], cut.degrees[rows - 1]], [degrees.first, degrees.last], { relative: 1e-6 });
      assertClose([cut.degrees.reduce((total, d) => total + d, 0)], [degrees.sum], { relative: 1e-6 });
      const gap = eigenvalues[components - 1] - eigenvalues[components];
      assertClose([cut.eigengap!], [gap], { relative: 0.1, absolute: 2e-5 });
    });
    const bytes = Uint8Array.from(atob(eigenvectors), (c) => c.charCodeAt(0));
    const expected = { data: new Float32Array(bytes.buffer), rows, cols: components };
    for (let c = 1; c <= components; c++) {
      if (eigenvalues[c - 1] - eigenvalues[c] < CLEAR_GAP) continue;
      await t.step(`${name}: the first ${c} span the golden subspace within 1e-3 rad`, () => {
        const angle = largestPrincipalAngle(
          leadingColumns(expected, c),
          leadingColumns(cut.eigenvectors, c),
          rows,
          c,
        );
        assert(angle <= 1e-3, `the largest principal angle is ${angle}`);
      });
    }
  }
});

Deno.test("normalizedCut() is sound on awkward graphs", async (t) => {
  const wide = randomMatrix(131, 200);
  const graphs: [string, Matrix, number][] = [
    ["one node", randomMatrix(1, 5), 1],
    ["two nodes, all eigenvectors", randomMatrix(2, 3), 2],
    ["as many components as nodes", randomMatrix(13, 7), 13],
    ["the largest graph of 7 components that can only be solved densely", randomMatrix(48, 6), 7],
    ["the smallest graph of 7 components that can be iterated", randomMatrix(49, 6), 7],
    ["prime sizes", randomMatrix(211, 13), 5],
    ["one component", randomMatrix(97, 13), 1],
    ["one channel, two signs", randomMatrix(101, 1), 2],
    ["more channels than nodes", wide, 11],
    ["no groups: one cluster", grouped(150, 1, 24, 0.05), 4],
    ["tight groups", grouped(150, 6, 24, 0.02), 6],
    ["every node twice", rowsOf(randomMatrix(70, 9), Array.from({ length: 140 }, (_, i) => i % 70)), 6],
    ["identical nodes", repeated([1, 2, 3], 10), 4],
    ["more identical nodes", repeated([1, 2, 3], 120), 4],
    ["two opposite nodes repeated", rowsOf(repeated([1, -1], 2), new Array(100).fill(0)), 3],
  ];
  const ways = graphs.flatMap(([name, ...graph]) =>
    [undefined, "stored" as const].map((storage) =>
      [`${name}, storage ${storage ?? "by default"}`, ...graph, storage] as const
    )
  );
  for (const [name, x, components, storage] of ways) {
    await t.step(name, async () => {
      const cut = await normalizedCut(gpu, x, { components, storage });
      assertSound(cut, x, components);
      const expected = reference(x.data, x.rows, x.cols).values;
      assertClose(cut.eigenvalues, expected.subarray(0, components), { relative: 0, absolute: 1e-5, note });
      if (components === x.rows) assertEquals(cut.eigengap, null);
      else {
        const gap = expected[components - 1] - expected[components];
        assertClose([cut.eigengap ?? NaN], [gap], { relative: 0.1, absolute: 2e-5, note });
      }
    });
  }
});

Deno.test("normalizedCut() tells the groups apart", async () => {
  const groups = 4;
  const x = grouped(120, groups, 16, 0.01);
  const { eigenvectors: y } = await normalizedCut(gpu, x, { components: groups });
  const distance = (i: number, j: number) => {
    let squares = 0;
    for (let c = 0; c < groups; c++) squares += (y.data[i * groups + c] - y.data[j * groups + c]) ** 2;
    return Math.sqrt(squares);
  };
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < i; j++) {
      const near = distance(i, j) < 0.05;
      assertEquals(
        near,
        i % groups === j % groups,
        `nodes ${i} and ${j} are ${distance(i, j)} apart, ${note}`,
      );
    }
  }
});

/** The same subspace up to the gap after `c` columns. */
function assertSameSubspace(a: Matrix, b: Matrix, c: number): void {
  const angle = largestPrincipalAngle(leadingColumns(a, c), leadingColumns(b, c), a.rows, c);
  assert(angle <= 1e-3, `the largest principal angle is ${angle}, ${note}`);
}

Deno.test("normalizedCut() does not depend on the length of rows", async () => {
  const x = grouped(150, 6, 24, 0.1);
  const plain = await normalizedCut(gpu, x, { components: 6 });
  for (
    const [name, scale] of Object.entries<(i: number) => number>({
      "1e30": () => 1e30,
      "1e-30": () => 1e-30,
      "from 1e-30 to 1e30": (i) => 10 ** (i % 61 - 30),
    })
  ) {
    const scaled = { ...x, data: x.data.map((v, at) => v * scale(Math.floor(at / x.cols))) };
    const cut = await normalizedCut(gpu, scaled, { components: 6 });
    assertClose(cut.eigenvalues, plain.eigenvalues, {
      relative: 0,
      absolute: 1e-5,
      note: `× ${name}, ${note}`,
    });
    assertSameSubspace(cut.eigenvectors, plain.eigenvectors, 6);
  }
});

Deno.test("normalizedCut() permutes its rows with the nodes", async () => {
  const x = grouped(150, 6, 24, 0.1);
  const order = Array.from({ length: 150 }, (_, i) => (i * 67 + 11) % 150);
  const plain = await normalizedCut(gpu, x, { components: 6 });
  const permuted = await normalizedCut(gpu, rowsOf(x, order), { components: 6 });
  assertClose(permuted.eigenvalues, plain.eigenvalues, { relative: 0, absolute: 1e-5, note });
  assertSameSubspace(permuted.eigenvectors, rowsOf(plain.eigenvectors, order), 6);
});

function assertIdentical(a: NormalizedCut, b: NormalizedCut, why: string): void {
  assertSameBits(a.eigenvectors.data, b.eigenvectors.data, why);
  assertSameBits(a.degrees, b.degrees, why);
  assertEquals(
    [[...a.eigenvalues], [...a.residuals], a.applications, a.eigengap],
    [[...b.eigenvalues], [...b.residuals], b.applications, b.eigengap],
    why,
  );
}

Deno.test("normalizedCut() gives the same bits on every run, stored or tiled, and both the same answer", async () => {
  const x = grouped(301, 6, 24, 0.3);
  const run = (on: Gpu, options = {}) => normalizedCut(on, x, { components: 6, tolerance: 1e-6, ...options });
  const stored = await run(gpu, { storage: "stored" }), tiled = await run(gpu, { storage: "tiled" });
  assertEquals([stored.storage, tiled.storage], ["stored", "tiled"]);
  assertIdentical(await run(gpu, { storage: "stored" }), stored, `stored again, ${note}`);
  assertIdentical(await run(gpu, { storage: "tiled" }), tiled, `tiled again, ${note}`);
  const small = await run(withBindings(gpu, 2 ** 14), { storage: "tiled" }); // many tiles
  for (const cut of [tiled, small]) {
    // Sums of 301 values in another order: at most 301 · 2⁻²⁴ apart, relatively.
    assertClose(cut.degrees, stored.degrees, { relative: 301 * 2 ** -24, note });
    assertClose(cut.eigenvalues, stored.eigenvalues, { relative: 1e-5, note });
    assertSameSubspace(cut.eigenvectors, stored.eigenvectors, 6);
  }
});

Deno.test("normalizedCut() gives the same bits whatever the adapter's bindings hold", async () => {
  const x = grouped(601, 8, 33, 0.3);
  const whole = await normalizedCut(gpu, x, { components: 9 });
  for (const bytes of BINDINGS) {
    const cut = await normalizedCut(withBindings(gpu, bytes), x, { components: 9 });
    assertIdentical(cut, whole, `bindings of ${bytes} bytes, ${note}`);
  }
});

Deno.test("normalizedCut() says so when it gives up", async () => {
  const x = randomMatrix(301, 200); // near-orthogonal nodes: a flat spectrum
  const cut = await normalizedCut(gpu, x, { components: 8, maxApplications: 2, storage: "stored" });
  assertEquals(cut.converged, false);
  assert(Math.max(...cut.residuals) > 1e-5, `${cut.residuals}, ${note}`);
  assertEquals([cut.eigenvectors.cols, cut.eigenvalues.length, cut.residuals.length], [8, 8, 8]);
  assert(cut.eigenvectors.data.every(Number.isFinite));
});

Deno.test("normalizedCut() reaches a looser tolerance sooner and a tighter one honestly", async () => {
  const x = grouped(301, 6, 24, 0.3);
  const solve = (options: Partial<NormalizedCutOptions>) =>
    normalizedCut(gpu, x, { components: 6, storage: "stored", ...options });
  const loose = await solve({ tolerance: 1e-2 }), usual = await solve({});
  const tight = await solve({ tolerance: 1e-9, maxApplications: 60 });
  assertSound(loose, x, 6, 1e-2);
  assert(
    loose.applications <= usual.applications,
    `${loose.applications} and ${usual.applications}, ${note}`,
  );
  assertEquals(tight.converged, tight.residuals.every((r) => r <= 1e-9), note);
});

Deno.test("normalizedCut() refuses what it cannot do in one sentence", async () => {
  const x = randomMatrix(9, 4);
  const bad = (at: number, value: number) => {
    const data = x.data.slice();
    data[at] = value;
    return { ...x, data };
  };
  const zero = { ...x, data: x.data.slice().fill(0, 24, 28) };
  const cases: [Matrix, Partial<Parameters<typeof normalizedCut>[2]>, string][] = [
    [x, { components: 10 }, "components is 10, but features has only 9 nodes: ask for at most 9."],
    [x, { components: 0 }, "components is 0: ask for a whole number of eigenvectors, 1 or more."],
    [x, { components: 2.5 }, "components is 2.5: ask for a whole number"],
    [x, { tolerance: 0 }, "tolerance is 0: it must be above 0"],
    [x, { tolerance: NaN }, "tolerance is NaN: it must be above 0"],
    [zero, { name: "clip L9" }, "clip L9: node 6 is a zero vector, which has no cosine with others"],
    [bad(13, NaN), {}, "features: node 3 has NaN in channel 1; every value must be finite"],
    [bad(35, Infinity), {}, "features: node 8 has Infinity in channel 3"],
    [{ ...x, rows: 8 }, {}, "features holds 36 values: 8 × 4 needs 32."],
  ];
  for (const [input, options, message] of cases) {
    await assertRejects(() => normalizedCut(gpu, input, { components: 2, ...options }), RangeError, message);
  }
});

Deno.test("normalizedCut() names the node also in graphs that are iterated", async () => {
  const x = randomMatrix(2500, 4);
  x.data.fill(0, 4 * 2077, 4 * 2078);
  await assertRejects(
    () => normalizedCut(gpu, x, { components: 2, name: "layer 3" }),
    RangeError,
    "layer 3: node 2077 is a zero vector",
  );
});

Deno.test("normalizedCut() returns every buffer it took", async () => {
  const before = gpu.memory.inUse;
  for (const storage of ["stored", "tiled"] as const) {
    await normalizedCut(gpu, randomMatrix(301, 9), { components: 3, storage });
  }
  await normalizedCut(gpu, randomMatrix(2100, 5), { components: 2 });
  assertEquals(gpu.memory.inUse, before);
});

Deno.test("normalizedCut() makes the affinity by tiles where the device has no memory for it, unless told to store it", async () => {
  const own = await openGpu();
  try {
    const x = grouped(3100, 6, 24, 0.3), small = withMemory(own, 2 ** 22), components = 4;
    const tiled = { components, storage: "tiled", tileBytes: 2 ** 22 } as const;
    const cut = await normalizedCut(small, x, { components });
    assertEquals(cut.storage, "tiled");
    assertIdentical(cut, await normalizedCut(gpu, x, tiled), note);
    assertEquals(small.memory.inUse, 0);
    await assertRejects(
      () => normalizedCut(small, x, { components, storage: "stored" }),
      Error,
      "Allocating affinity",
    );
  } finally {
    closeGpu(own);
  }
});

Deno.test("normalizedCut() gives the same bits stored and by tiles, whatever variant of the kernels", async () => {
  const x = grouped(2101, 7, 24, 0.3), components = 4, wanted = await normalizedCut(gpu, x, { components });
  for (const variant of ["textures", "registers", "shared"] as const) {
    const cut = await normalizedCut({ ...gpu, variant }, x, { components, storage: "tiled" });
    const stored = await normalizedCut({ ...gpu, variant }, x, { components });
    for (const found of [stored, { ...cut, storage: stored.storage }]) assertIdentical(found, wanted, note);
  }
});

/** ‖M y − λ y‖ of every pair, in float64. */
function residualsInFull(cut: NormalizedCut, x: Matrix): Float64Array {
  const { m } = normalizedAffinity(x.data, x.rows, x.cols), { data, cols } = cut.eigenvectors;
  const my = matmul(m, data, x.rows, x.rows, cols);
  return residualSquares(my, data, cut.eigenvalues, x.rows, cols).map(Math.sqrt);
}

Deno.test("normalizedCut() takes no more applications for a looser tolerance, and keeps to each in float64", async () => {
  const x = grouped(401, 6, 24, 0.5), applications = [];
  for (const tolerance of [1e-3, 1e-4, 1e-5]) {
    const cut = await normalizedCut(gpu, x, { components: 5, tolerance, storage: "stored" });
    assert(cut.converged, note);
    assert(Math.max(...residualsInFull(cut, x)) <= 1.2 * tolerance, `${tolerance}, ${note}`);
    applications.push(cut.applications);
  }
  assertEquals(applications, applications.toSorted((a, b) => a - b), note);
});

Deno.test("normalizedCut() reports the residuals of the float32 vectors that it returns, also where it solves in float64", async () => {
  const x = randomMatrix(60, 7), { m } = normalizedAffinity(x.data, x.rows, x.cols);
  const cut = await normalizedCut(gpu, x, { components: 9, tolerance: 1e-10 });
  assertEquals([cut.storage, cut.converged], ["dense", false]);
  const image = matmul(m, cut.eigenvectors.data, 60, 60, 9);
  const full = residualSquares(image, cut.eigenvectors.data, cut.eigenvalues, 60, 9).map(Math.sqrt);
  assert(Math.max(...cut.residuals) > 1e-9, `${cut.residuals}, ${note}`);
  assertClose(cut.residuals, full, { relative: 0, absolute: 1e-6, note }); // affinities are of float32
  assert((await normalizedCut(gpu, x, { components: 9, tolerance: 1e-6 })).converged);
});

Deno.test("normalizedCut() converges where fewer channels or clusters than components leave a flat spectrum", async (t) => {
  const random = seededRandom(39), uniform = Float32Array.from({ length: 601 * 17 }, () => random());
  const pairs = fillRandom(new Float32Array(601 * 17), random);
  pairs.copyWithin(17, 0, 17);
  const graphs: [string, Matrix, number][] = [
    ["uniform, 17 channels", { data: uniform, rows: 601, cols: 17 }, 20],
    ["two equal rows, 17 channels", { data: pairs, rows: 601, cols: 17 }, 20],
    ["10 clusters, 96 channels", mixture(401, 96, 10, 1, 1), 20],
    ["no clusters, 96 channels", mixture(401, 96, 1, 1, 2), 50],
    ["one channel a node", oneChannelEach(256), 20],
  ];
  for (const [name, x, components] of graphs) {
    await t.step(name, async () => {
      const cut = await normalizedCut(gpu, x, { components, storage: "stored" });
      assert(cut.converged, `residuals ${cut.residuals}`);
      assert(cut.applications <= 30, `took ${cut.applications} applications`);
      residualsInFull(cut, x).forEach((residual, c) =>
        assert(residual <= 1.2e-5, `residual ${c} is ${residual} in float64, ${cut.residuals[c]} as reported`)
      );
    });
  }
});

Deno.test("normalizedCut() finds any number of components, from one to all", async () => {
  const x = randomMatrix(201, 17);
  for (const components of [1, 2, 20, 67, 200, 201]) {
    assertSound(await normalizedCut(gpu, x, { components }), x, components);
  }
});

Deno.test("normalizedCut() counts the components that float32 tells from a null space, and cutWarning() says so", async () => {
  const nodes = (n: number, channels: number) =>
    rowsOf(oneChannelEach(channels), Array.from({ length: n }, (_, i) => i % channels));
  for (const storage of [undefined, "stored"] as const) {
    const all = await normalizedCut(gpu, nodes(140, 12), { components: 9, storage });
    assertEquals([all.resolved, cutWarning(all)], [9, ""]);
    const few = await normalizedCut(gpu, nodes(140, 5), { components: 9, storage });
    assertEquals([few.resolved, few.converged], [5, true]);
    assertEquals(cutWarning(few), "5 of 9 components resolved, the others arbitrary");
    const one = await normalizedCut(gpu, repeated([1, 2, 3], 140), { components: 4, storage });
    assertEquals(one.resolved, 1);
    const stopped = { ...few, converged: false };
    assertEquals(cutWarning(stopped), "not converged; 5 of 9 components resolved, the others arbitrary");
  }
});
