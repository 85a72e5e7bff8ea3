import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, type Matrix, nearestNeighbors, normalizedCut, openGpu } from "../../mod.ts";
import { matrixSource, type NodeSource } from "../../src/graph/node_source.ts";
import { fitNystrom } from "../../src/graph/nystrom.ts";
import { assertClose } from "../support/assert_close.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { largestPrincipalAngle } from "../support/principal_angle.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { affinity } from "../reference/affinity.ts";
import { propagate } from "../reference/propagate.ts";
import { topK } from "../reference/top_k.ts";

const SAMPLINGS = ["farthest", "uniform", "stratified"] as const;
const note = `seed ${testSeed}`;

/** Rows of x by number. */
function rowsOf(x: Matrix, rows: ArrayLike<number>): Matrix {
  const data = new Float32Array(rows.length * x.cols);
  for (let i = 0; i < rows.length; i++) {
    data.set(x.data.subarray(rows[i] * x.cols, (rows[i] + 1) * x.cols), i * x.cols);
  }
  return { data, rows: rows.length, cols: x.cols };
}

/** Angle between the spans of orthonormal columns. */
function angle(a: Matrix, b: Matrix): number {
  return largestPrincipalAngle(Float64Array.from(a.data), Float64Array.from(b.data), a.rows, a.cols);
}

Deno.test("fitNystrom().transform() is (4) in float64 over the true nearest landmarks", async (t) => {
  const gpu = await openGpu();
  for (const [n, d, m, k, c] of [[5, 2, 1, 1, 1], [61, 7, 13, 13, 3], [5003, 9, 211, 5, 7]]) {
    await t.step(`${n} nodes, ${m} landmarks, K = ${k}, ${c} components`, async () => {
      const x = randomMatrix(n, d);
      const model = await fitNystrom(gpu, matrixSource(x), {
        landmarks: m,
        neighbors: k,
        components: c,
        sampling: "uniform",
        seed: testSeed,
      });
      const { indices, features } = model.landmarks;
      assertEquals(features, rowsOf(x, indices));
      const y = await model.transform(matrixSource(x));
      const toLandmarks = affinity(x.data, n, features.data, m, d);
      const nearest = topK(toLandmarks, n, m, k);
      const expected = propagate(nearest.values, nearest.indices, k, model.cut.eigenvectors.data, c);
      assertClose(y.data, expected, { relative: 1e-5, note });
    });
  }
  closeGpu(gpu);
});

Deno.test("fitNystrom() comes near the exact eigenvectors, and meets them where every node is a landmark", async (t) => {
  const gpu = await openGpu();
  const x = clusteredNodes(3001, 16, 8, 0.2, testSeed);
  const exact = await normalizedCut(gpu, x, { components: 8 });
  for (const sampling of SAMPLINGS) {
    await t.step(`${sampling}, 400 landmarks`, async () => {
      const model = await fitNystrom(gpu, matrixSource(x), {
        landmarks: 400,
        neighbors: 8,
        components: 8,
        sampling,
        seed: testSeed,
      });
      const y = await model.transform(matrixSource(x), { orthogonalize: true });
      const largest = angle(exact.eigenvectors, y);
      // 0.10 at worst over 20 seeds; the eigenvalues of landmarks that spread evenly are those of another density.
      assert(largest < 0.15, `${largest} rad, ${note}`);
      model.cut.eigenvalues.forEach((value, i) =>
        assert(
          Math.abs(value - exact.eigenvalues[i]) < (sampling === "farthest" ? 0.2 : 0.08),
          `eigenvalue ${i}: ${value}, ${note}`,
        )
      );
    });
  }
  await t.step("3001 landmarks", async () => {
    const model = await fitNystrom(gpu, matrixSource(x), { landmarks: 3001, neighbors: 1, components: 8 });
    assertEquals((await model.transform(matrixSource(x))).data, model.cut.eigenvectors.data);
    assert(angle(exact.eigenvectors, model.cut.eigenvectors) < 1e-3, note);
  });
  closeGpu(gpu);
});

Deno.test("fitNystrom().transform() gives nodes it never saw what it gives their copies, to the bit", async () => {
  const gpu = await openGpu();
  const x = randomMatrix(4500, 11);
  const options = { landmarks: 100, neighbors: 7, components: 4, seed: testSeed };
  const model = await fitNystrom(gpu, matrixSource(x), options);
  const all = await model.transform(matrixSource(x));
  const picked = [4499, 3, 4096, 3, 0];
  const few = await model.transform(matrixSource(rowsOf(x, picked)));
  assertEquals(few, rowsOf(all, picked));
  const again = await fitNystrom(gpu, matrixSource(x), options);
  assertEquals((await again.transform(matrixSource(x))).data, all.data);
  closeGpu(gpu);
});

Deno.test("fitNystrom() takes the landmarks that another search finds", async () => {
  const gpu = await openGpu();
  const x = clusteredNodes(4300, 6, 5, 0.3, testSeed);
  const model = await fitNystrom(gpu, matrixSource(x), { landmarks: 90, neighbors: 9, components: 4 });
  const exact = await model.transform(matrixSource(x));
  const found = await model.transform(matrixSource(x), {
    search: (panel) => nearestNeighbors(gpu, panel, model.landmarks.features, { k: 9 }),
  });
  // affinities of distances there, of products here: apart by rounding
  assertClose(found.data, exact.data, { relative: 1e-5, scale: 0.1, note: `seed ${testSeed}` });
  closeGpu(gpu);
});

Deno.test("fitNystrom().transform() orthogonalizes on request, keeping the span and the signs", async () => {
  const gpu = await openGpu();
  const x = clusteredNodes(1000, 6, 5, 0.3, testSeed);
  const source = matrixSource(x);
  const model = await fitNystrom(gpu, source, { landmarks: 120, components: 5, seed: testSeed });
  const y = await model.transform(source), z = await model.transform(source, { orthogonalize: true });
  for (let a = 0; a < 5; a++) {
    let own = 0;
    for (let b = 0; b < 5; b++) {
      let product = 0;
      for (let i = 0; i < 1000; i++) product += z.data[5 * i + a] * z.data[5 * i + b];
      assert(Math.abs(product - Number(a === b)) < 1e-5, `columns ${a} and ${b}: ${product}, ${note}`);
    }
    for (let i = 0; i < 1000; i++) own += y.data[5 * i + a] * z.data[5 * i + a];
    assert(own > 0, `column ${a}, ${note}`);
  }
  closeGpu(gpu);
});

Deno.test("fitNystrom() takes landmarks by their rows, and is then what it is with those drawn", async () => {
  const gpu = await openGpu();
  const x = clusteredNodes(1500, 8, 5, 0.3, testSeed),
    options = { neighbors: 6, components: 4, seed: testSeed };
  const drawn = await fitNystrom(gpu, matrixSource(x), { ...options, landmarks: 150, sampling: "uniform" });
  const given = await fitNystrom(gpu, matrixSource(x), {
    ...options,
    landmarks: drawn.landmarks.indices,
    sampling: "uniform",
  });
  assertEquals(given.cut, drawn.cut, note);
  assertEquals(await given.transform(matrixSource(x)), await drawn.transform(matrixSource(x)), note);
  closeGpu(gpu);
});

Deno.test("fitNystrom() and transform() take as much memory for 8 N nodes as for N", async () => {
  const x = randomMatrix(1021, 5);
  const peaks: number[] = [];
  for (const rows of [3 * 8192, 8 * 3 * 8192]) {
    const gpu = await openGpu();
    let largest = 0, underWay = 0;
    const source: NodeSource = {
      rows,
      cols: 5,
      async read(first, count) {
        largest = Math.max(largest, count);
        assert(++underWay <= 2, "panels read ahead");
        const panel = rowsOf(x, Uint32Array.from({ length: count }, (_, i) => (first + i) % x.rows));
        await Promise.resolve();
        underWay--;
        return panel;
      },
    };
    const model = await fitNystrom(gpu, source, { landmarks: 64, neighbors: 4, components: 3 });
    let nodes = 0;
    for await (const { first, vectors } of model.panels(source)) {
      assertEquals(first, nodes);
      nodes += vectors.rows;
    }
    assertEquals(nodes, rows);
    assert(largest <= 4096);
    peaks.push(gpu.memory.peak);
    assertEquals(gpu.memory.inUse, 0);
    closeGpu(gpu);
  }
  assertEquals(peaks[1], peaks[0]);
});

Deno.test("fitNystrom() says what is wrong in one sentence", async () => {
  const gpu = await openGpu();
  const source = matrixSource(randomMatrix(30, 3));
  for (
    const [options, message] of [
      [{ landmarks: Uint32Array.of(3, 3, 5) }, "landmarks names row 3 at 1: give rows of the 30 nodes"],
      [{ landmarks: Uint32Array.of(3, 30) }, "landmarks names row 30 at 1"],
      [{ landmarks: new Uint32Array() }, "landmarks names no row"],
      [{ landmarks: 31 }, "landmarks is 31, but features has only 30 nodes: ask for at most 30."],
      [
        { landmarks: 10, neighbors: 11 },
        "k, the number of neighbours, is 11: with 10 candidates, ask for 1 to 10.",
      ],
      [{ landmarks: 10, components: 11 }, "components is 11, but landmarks has only 10 nodes"],
    ] as const
  ) {
    await assertRejects(() => fitNystrom(gpu, source, options), RangeError, message);
  }
  const model = await fitNystrom(gpu, source, { landmarks: 10, components: 2 });
  await assertRejects(
    () => model.transform(matrixSource(randomMatrix(4, 5))),
    RangeError,
    "features has 5 channels, but the model was fitted on 3: give features of the same kind.",
  );
  const broken = randomMatrix(5000, 3);
  broken.data[3 * 4711] = NaN;
  await assertRejects(
    () => model.transform({ ...matrixSource(broken), name: "new nodes" }),
    RangeError,
    "new nodes: node 4711 has NaN in channel 0",
  );
  closeGpu(gpu);
});
