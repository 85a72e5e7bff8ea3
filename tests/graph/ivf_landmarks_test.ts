import { assert, assertEquals } from "@std/assert";
import { closeGpu, fitNystrom, matrixSource, nearestNeighbors, openGpu } from "../../mod.ts";
import { loadNystrom, saveNystrom } from "../../src/data/fits/nystrom_file.ts";
import { chooseInvertedFile, extendByIvf, invertedLists } from "../../src/graph/ivf_landmarks.ts";
import { nystromModel } from "../../src/graph/nystrom.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { affinity } from "../reference/affinity.ts";
import { propagate } from "../reference/propagate.ts";
import { topK } from "../reference/top_k.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));
const note = `seed ${testSeed}`;

function rowsOf({ data, cols }: Matrix, rows: ArrayLike<number>): Matrix {
  const out = new Float32Array(rows.length * cols);
  for (let i = 0; i < rows.length; i++) {
    out.set(data.subarray(rows[i] * cols, (rows[i] + 1) * cols), i * cols);
  }
  return { data: out, rows: rows.length, cols };
}

async function vectorsOf(
  device: typeof gpu,
  nodes: Matrix,
  landmarks: Matrix,
  y: Matrix,
  options: { share: number; k: number; seed: number; rows?: number },
): Promise<Float32Array> {
  const { rows = 8192 } = options, all = new Float32Array(nodes.rows * y.cols);
  const panels = extendByIvf(device, matrixSource(nodes), landmarks, y, { ...options, rows, from: 0 });
  for await (const { first, vectors } of panels) all.set(vectors.data, first * y.cols);
  return all;
}

Deno.test("invertedLists() has for every cell its own landmarks and enough of the nearest others", async (t) => {
  for (const [m, d, share, k] of [[1, 1, 0.5, 1], [13, 3, 0.1, 7], [701, 11, 1 / 16, 5], [97, 5, 1, 2]]) {
    await t.step(`${m} landmarks, a share of ${share}, K = ${k}`, async () => {
      const landmarks = randomMatrix(m, d);
      const { centres, lists } = await invertedLists(gpu, landmarks, { share, k, seed: testSeed });
      assertEquals([centres.rows, lists.length], [Math.min(m, Math.round(2 * Math.sqrt(m))), centres.rows]);
      const { indices: own } = await nearestNeighbors(gpu, landmarks, centres, { k: 1 });
      own.forEach((g, landmark) => assert(lists[g].includes(landmark), `landmark ${landmark}, ${note}`));
      for (const list of lists) {
        assert(list.length >= Math.min(m, Math.max(k, share * m)), note);
        assert(list.every((landmark, at) => landmark < m && (at === 0 || landmark > list[at - 1])), note);
      }
    });
  }
});

Deno.test("extendByIvf() is (4) in float64 over the nearest of the node's own list", async () => {
  const n = 1201, d = 7, m = 401, k = 5, options = { share: 1 / 16, k, seed: testSeed };
  const nodes = randomMatrix(n, d), landmarks = randomMatrix(m, d, 1), y = randomMatrix(m, 6, 2);
  const found = await vectorsOf(gpu, nodes, landmarks, y, options);
  const { centres, lists } = await invertedLists(gpu, landmarks, options);
  const { indices: own } = await nearestNeighbors(gpu, nodes, centres, { k: 1 });
  for (let i = 0; i < n; i++) {
    const list = lists[own[i]], row = nodes.data.subarray(i * d, (i + 1) * d);
    const theirs = affinity(row, 1, rowsOf(landmarks, list).data, list.length, d);
    const nearest = topK(theirs, 1, list.length, k);
    const expected = propagate(nearest.values, nearest.indices, k, rowsOf(y, list).data, 6);
    assertClose(found.subarray(i * 6, (i + 1) * 6), expected, {
      relative: 1e-5,
      scale: 1,
      note: `node ${i}, ${note}`,
    });
  }
});

Deno.test("extendByIvf() gives the same bits whatever the panels, and for nodes alone or among others", async () => {
  const nodes = randomMatrix(4999, 9), landmarks = randomMatrix(300, 9, 1), y = randomMatrix(300, 5, 2);
  const options = { share: 1 / 8, k: 3, seed: testSeed };
  const all = await vectorsOf(gpu, nodes, landmarks, y, options);
  assertEquals(await vectorsOf(withBindings(gpu, 2 ** 16), nodes, landmarks, y, options), all, note);
  assertEquals(await vectorsOf(gpu, nodes, landmarks, y, { ...options, rows: 701 }), all, note);
  const few = [4998, 17, 17, 0];
  assertEquals(
    await vectorsOf(gpu, rowsOf(nodes, few), landmarks, y, options),
    rowsOf({ data: all, rows: 4999, cols: 5 }, few).data,
    note,
  );
  const exact = nystromModel(gpu, {
    landmarks: { indices: new Uint32Array(300), features: landmarks },
    cut: { ...{} as Parameters<typeof nystromModel>[1]["cut"], eigenvectors: y },
    neighbors: 3,
    ivf: null,
    projection: null,
    sampling: "uniform",
    seed: 0,
  });
  assertEquals(
    await vectorsOf(gpu, nodes, landmarks, y, { ...options, share: 1 }),
    (await exact.transform(matrixSource(nodes))).data,
    note,
  );
});

Deno.test("chooseInvertedFile() finds 99 % of the nearest with few landmarks where there are groups, else takes all", async () => {
  const landmarks = clusteredNodes(2100, 24, 30, 0.4, testSeed),
    nodes = clusteredNodes(1500, 24, 30, 0.4, testSeed);
  const options = { k: 8, seed: testSeed };
  const ivf = await chooseInvertedFile(gpu, matrixSource(nodes), landmarks, options);
  assert(
    ivf && ivf.share <= 1 / 8 && ivf.recall >= 0.99,
    `${JSON.stringify(ivf)}, ${note}`,
  );
  assertEquals(
    await chooseInvertedFile(gpu, matrixSource(nodes), rowsOf(landmarks, [0, 1, 2]), options),
    null,
  );
  const noise = matrixSource(randomMatrix(1500, 96, 3));
  assertEquals(await chooseInvertedFile(gpu, noise, randomMatrix(2100, 96, 4), options), null);
});

Deno.test("fitNystrom() searches many landmarks by an inverted file, nearly as the exact search, also from a file", async () => {
  const x = clusteredNodes(6000, 24, 30, 0.4, testSeed), source = matrixSource(x);
  const options = { landmarks: 2048, neighbors: 8, components: 6, seed: testSeed };
  const model = await fitNystrom(gpu, source, options);
  const exact = await fitNystrom(gpu, source, { ...options, search: "exact" });
  assert(model.ivf, note);
  assertEquals([exact.ivf, exact.cut], [null, model.cut]);
  const y = await model.transform(source), z = await exact.transform(source);
  let missed = 0;
  for (let i = 0; i < x.rows; i++) {
    missed += Number([0, 1, 2, 3, 4, 5].some((c) => y.data[6 * i + c] !== z.data[6 * i + c]));
  }
  assert(
    missed / x.rows <= 8 * (1 - model.ivf.recall) + 0.02,
    `${missed} of ${x.rows} nodes differ, ${note}`,
  );
  await inTemporaryFolder(async (root) => {
    await saveNystrom(`${root}/fit.arrow`, model);
    assertEquals((await (await loadNystrom(gpu, `${root}/fit.arrow`)).transform(source)).data, y.data);
  });
  assertEquals(gpu.memory.inUse, 0);
});
