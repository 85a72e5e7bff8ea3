import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, type Matrix, openGpu } from "../../../mod.ts";
import { ridge } from "../../../src/align/ridge.ts";
import { writeNpy } from "../../../src/data/formats/npy.ts";
import { readObject2vec } from "../../../src/data/datasets/object2vec.ts";
import { type Encode, scoreHeldOut } from "../../../src/experiments/real_brains/encoding.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { randomMatrix, testSeed } from "../../support/random.ts";
import { realData } from "../../support/real_data.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const rois = new Map([["all", new Uint32Array([0, 1, 2])]]);

/** Predicts the mean of what it was fitted on, and nothing else. */
const meanOnly: Encode = ({ y }) => {
  const mean = Array.from({ length: y.cols }, (_, v) => {
    let sum = 0;
    for (let i = 0; i < y.rows; i++) sum += y.data[i * y.cols + v];
    return sum / y.rows;
  });
  return Promise.resolve((x: Matrix) =>
    Promise.resolve({
      data: Float32Array.from({ length: x.rows * y.cols }, (_, at) => mean[at % y.cols]),
      rows: x.rows,
      cols: y.cols,
    })
  );
};

Deno.test("scoreHeldOut() is 1 for a map that carries over and 0, not below, for the mean alone", async () => {
  const x = randomMatrix(27, 3), y = { ...x, data: x.data.map((value) => 2 * value + 1) };
  const double: Encode = () =>
    Promise.resolve((features) =>
      Promise.resolve({ ...features, data: features.data.map((value) => 2 * value + 1) })
    );
  const perfect = await scoreHeldOut(x, y, { encode: double, rois, repeats: 2 });
  perfect.r.forEach((r) => assertAlmostEquals(r, 1, 1e-9));
  assertAlmostEquals(perfect.foldSpread!, 0, 1e-9);
  const nothing = await scoreHeldOut(x, y, { encode: meanOnly, rois, repeats: 2 });
  nothing.r.forEach((r) => assertEquals(r, 0, `seed ${testSeed}`));
});

Deno.test("scoreHeldOut() shows the encoder only what is not held out", async () => {
  const x = randomMatrix(20, 2), y = randomMatrix(20, 3, 1);
  const seen: number[] = [];
  const encode: Encode = (train) => {
    seen.push(train.x.rows);
    assertEquals(train.x.rows, train.y.rows);
    const known = new Set(train.x.data);
    return Promise.resolve((held) => {
      assert(held.data.every((value) => !known.has(value)));
      return Promise.resolve(randomMatrix(held.rows, 3, 5));
    });
  };
  const once = await scoreHeldOut(x, y, { encode, rois, folds: 3, repeats: 1 });
  assertEquals("foldSpread" in once, false, "one repeat does not tell what the folds change");
  assertEquals(seen.toSorted(), [13, 13, 14]);
});

Deno.test("scoreHeldOut() draws other folds for every repeat, and says how much that changes", async () => {
  const x = randomMatrix(20, 2), y = randomMatrix(20, 3, 1);
  const encode: Encode = ({ x, y }) => ridge(gpu, x, y, { alphas: [1] }).then(({ predict }) => predict);
  const { foldSpread } = await scoreHeldOut(x, y, { encode, rois, folds: 4, repeats: 3 });
  assert(foldSpread! > 1e-4, `${foldSpread}, seed ${testSeed}`);
});

Deno.test("readObject2vec() reads what is there and says in one sentence what does not fit", async () => {
  await inTemporaryFolder(async (dir) => {
    const labels = { rois: ["EVC", "FFA"], categories: ["boat", "book", "bottle"] };
    await Deno.writeTextFile(`${dir}/labels.json`, JSON.stringify(labels));
    const [betas, alexnet, word2vec] = [randomMatrix(3, 4), randomMatrix(3, 2, 1), randomMatrix(3, 5, 2)];
    await writeNpy(`${dir}/betas.npy`, betas.data, [3, 4]);
    await writeNpy(`${dir}/alexnet.npy`, alexnet.data, [3, 2]);
    await writeNpy(`${dir}/word2vec.npy`, word2vec.data, [3, 5]);
    await writeNpy(`${dir}/roi_index.npy`, Uint8Array.of(2, 1, 2, 2), [4]);
    const data = await readObject2vec(dir);
    assertEquals([data.betas, data.alexnet, data.word2vec], [betas, alexnet, word2vec]);
    assertEquals([...data.rois].map(([name, voxels]) => [name, ...voxels]), [["EVC", 1], ["FFA", 0, 2, 3]]);

    await writeNpy(`${dir}/roi_index.npy`, Uint8Array.of(2, 1, 3, 2), [4]);
    await assertRejects(
      () => readObject2vec(dir),
      Error,
      "roi_index.npy gives voxel 2 the region 3, expected 1 to 2",
    );
    await writeNpy(`${dir}/roi_index.npy`, Uint8Array.of(2, 1), [2]);
    await assertRejects(
      () => readObject2vec(dir),
      Error,
      "roi_index.npy is 2, expected 4: copy the whole data set",
    );
    await writeNpy(`${dir}/roi_index.npy`, Uint8Array.of(2, 1, 2, 2), [4]);
    await writeNpy(`${dir}/word2vec.npy`, word2vec.data.with(5, NaN), [3, 5]);
    await assertRejects(
      () => readObject2vec(dir),
      Error,
      "word2vec.npy holds NaN at place 5, counted from 0",
    );
    await Deno.writeTextFile(`${dir}/labels.json`, '{"rois": ["EVC"]}');
    await assertRejects(
      () => readObject2vec(dir),
      Error,
      'labels.json ("categories" is missing, expected a list of names)',
    );
    await Deno.remove(`${dir}/labels.json`);
    await assertRejects(() => readObject2vec(dir), Error, "Cannot read ");
  });
});

const folder = realData("object2vec81");

Deno.test({
  name: "ridge() predicts real voxels of the object-selective and scene-selective cortex",
  ignore: folder === undefined,
  async fn() {
    const { alexnet, betas, rois } = await readObject2vec(folder!);
    const encode: Encode = async ({ x, y }) =>
      (await ridge(gpu, x, y, { alphas: [10, 100], alphaFor: "all", folds: 3 })).predict;
    const score = await scoreHeldOut(alexnet, betas, { encode, rois, repeats: 3 });
    const mean = (roi: string) => score.rois.get(roi)!.mean;
    assertEquals(score.rois.size, 7);
    assert(mean("LOC") > 0.55 && mean("PPA") > 0.5, `${mean("LOC")}, ${mean("PPA")}`);
    assert(mean("LOC") > mean("PFS"));
  },
});

Deno.test("readObject2vec() leaves out voxels of no use, counted by region", () =>
  inTemporaryFolder(async (dir) => {
    const labels = { rois: ["EVC", "FFA"], categories: ["boat", "book", "bottle"] };
    await Deno.writeTextFile(`${dir}/labels.json`, JSON.stringify(labels));
    await writeNpy(`${dir}/betas.npy`, Float32Array.of(1, 2, 5, 3, NaN, 5, 4, 6, 5), [3, 3]);
    await writeNpy(`${dir}/roi_index.npy`, Int32Array.of(2, 1, 2), [3]);
    for (const name of ["alexnet", "word2vec"]) {
      await writeNpy(`${dir}/${name}.npy`, new Float32Array(6), [3, 2]);
    }
    const { betas, rois, skipped } = await readObject2vec(dir);
    assertEquals([betas.cols, [...betas.data]], [1, [1, 3, 4]]);
    assertEquals([[...rois.get("EVC")!], [...rois.get("FFA")!]], [[], [0]]);
    assertEquals(skipped, [
      "2 of 3 voxels: 1 with a response that is not finite, 1 with one response to all images (EVC 1, FFA 1)",
    ]);
    await writeNpy(`${dir}/betas.npy`, new Float32Array(9), [3, 3]);
    await assertRejects(
      () => readObject2vec(dir),
      Error,
      "betas.npy has no voxel that is of use: 3 of 3 voxels",
    );
  }));
