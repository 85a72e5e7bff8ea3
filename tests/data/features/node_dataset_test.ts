import { assert, assertEquals, assertRejects } from "@std/assert";
import { openFeatureSource } from "../../../src/data/features/feature_source.ts";
import {
  datasetFiles,
  fileBatches,
  imagesPerFile,
  MAX_FILES,
  readDatasetColumn,
  slotFolder,
  writeDatasetFile,
} from "../../../src/data/features/node_dataset.ts";
import { brokenFiles, brokenInBatches } from "../../../src/data/files/file_hashes.ts";
import { nearestOfImages, vectorsOfImages } from "../../../src/pipeline/evaluation.ts";
import { brokenInDataset, makeBatches, makeDataset } from "../../../src/pipeline/node_batches.ts";
import { areFilesThere, lookAtSizes, type SizesByFolder } from "../../../src/data/files/file_look.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const slotsOf = (images: number, tokens: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({
    model: "a model/b=c",
    layer: at + 1,
    first: at * images * tokens,
    rows: images * tokens,
    tokens,
  }));

Deno.test("datasetFiles() holds every node once, in order, in folders of 4,096 files at most", () => {
  for (const [images, tokens, count] of [[1, 1, 1], [130, 5, 3], [1_000_000, 197, 36]]) {
    const files = datasetFiles(slotsOf(images, tokens, count));
    let next = 0;
    for (const { firstNode, rows } of files) {
      assert(firstNode === next, `${firstNode}, expected ${next}`);
      next += rows;
    }
    assertEquals(next, images * tokens * count);
    assert(files.length / count <= MAX_FILES);
    const batches = fileBatches(files);
    assert(batches.length <= 2048);
    assertEquals(batches.reduce((sum, { length }) => sum + length, 0), files.length);
  }
  assertEquals([1000, 262_144, 262_145, 1_000_000].map(imagesPerFile), [64, 64, 128, 256]);
});

/** Of node i the number i in two columns, and i % 7 as its nearest point. */
const columns = ({ firstNode, rows }: { firstNode: number; rows: number }) =>
  Promise.resolve({
    vector: { vectors: Float32Array.from({ length: 2 * rows }, (_, at) => firstNode + (at >> 1)), cols: 2 },
    nearest: Int32Array.from({ length: rows }, (_, at) => (firstNode + at) % 7),
  });

Deno.test("a dataset of two tasks is that of one, byte for byte, and is read image by image", async () => {
  await inTemporaryFolder(async (dir) => {
    const slots = slotsOf(130, 5, 2), one = `${dir}/one`, two = `${dir}/two`;
    await Deno.mkdir(one);
    await makeDataset(one, "eigenvectors", slots, columns, () => {});
    const parts: SizesByFolder[] = [],
      isThere = (task: number) => areFilesThere(two, parts[task], lookAtSizes());
    for (const task of [1, 0]) {
      parts[task] = await makeBatches(two, "eigenvectors", slots, columns, { task, tasks: 2 });
      assert(isThere(task));
    }
    let made = 0;
    const again = (file: Parameters<typeof columns>[0]) => (made++, columns(file));
    await makeDataset(two, "eigenvectors", slots, again, () => {});
    assertEquals(made, 0);
    const manifest = (folder: string) => Deno.readTextFile(`${folder}/eigenvectors.json`);
    assertEquals(await manifest(two), await manifest(one));
    assertEquals(await brokenInDataset(two, "eigenvectors"), []);

    // A file that a killed task has not renamed, or a lost one, is made again, alone.
    const lost = `${two}/eigenvectors/${datasetFiles(slots)[1].path}`;
    await Deno.remove(lost);
    assertEquals(isThere(1), false);
    await makeDataset(two, "eigenvectors", slots, again, () => {});
    assertEquals(made, 1);
    assertEquals(await Deno.readFile(lost), await Deno.readFile(lost.replace(two, one)));
    await Deno.writeFile(lost, (await Deno.readFile(lost)).with(300, 77));
    assertEquals((await brokenInDataset(two, "eigenvectors")).map(({ state }) => state), ["damaged"]);

    const source = await openFeatureSource(slots.map((slot) => `${one}/eigenvectors/${slotFolder(slot)}`));
    try {
      assertEquals([source.rows, source.cols, source.slots[1].first], [1300, 2, 650]);
      const chosen = [3, 64, 65, 129],
        nodes = [0, 650].flatMap((first) =>
          chosen.flatMap((image) => Array.from({ length: 5 }, (_, token) => first + 5 * image + token))
        );
      assertEquals([...(await vectorsOfImages(source, chosen)).data], nodes.flatMap((node) => [node, node]));
      await Deno.rename(`${one}/eigenvectors`, `${one}/colors`);
      assertEquals([...await nearestOfImages(one, source, chosen)], nodes.map((node) => node % 7));
    } finally {
      await source.close();
    }
  });
});

Deno.test("readDatasetColumn() names a column that is not there", async () => {
  await inTemporaryFolder(async (dir) => {
    const [file] = datasetFiles(slotsOf(2, 3, 1));
    await writeDatasetFile(dir, file, await columns(file));
    await assertRejects(
      () => readDatasetColumn(`${dir}/${file.path}`, "red"),
      Error,
      "it has no column red.",
    );
    assertEquals([...await readDatasetColumn(`${dir}/${file.path}`, "image")], [0, 0, 0, 1, 1, 1]);
  });
});

Deno.test("brokenFiles() looks at the size of every file, and at 268 MB of the bytes or at all", async () => {
  await inTemporaryFolder(async (dir) => {
    const sha256 = "of other bytes",
      hashes = Object.fromEntries(
        ["f0", "f1", "f2", "f3"].map((name) => [name, { bytes: name === "f1" ? 3 : 2 ** 28, sha256 }]),
      );
    for (const name of ["f1", "f2", "f3"]) {
      using file = await Deno.open(`${dir}/${name}`, { write: true, create: true });
      await file.truncate(name === "f1" ? 2 : 2 ** 28); // takes no place on disk
    }
    const bySize = (await brokenFiles(dir, hashes)).map(({ file, state }) => `${file} ${state}`);
    assert(bySize.includes("f0 missing") && bySize.includes("f1 damaged"), bySize.join());
    assert(bySize.length < 4, "one of the two large files is not looked at, as their bytes are too many");
  });
});

Deno.test("what is noted of a dataset's files is read batch by batch, and hashed up to 268 MB, at three sizes", async () => {
  for (const images of [10_000, 1_000_000, 100_000_000]) {
    const batches = fileBatches(datasetFiles(slotsOf(images, 197, 36)));
    const most = Math.max(...batches.map(({ length }) => length));
    assert(batches.length <= 2048 && most <= 72, `${images} images: ${batches.length} batches of ${most}`);
  }
  await inTemporaryFolder(async (dir) => {
    const noted = { bytes: 2 ** 26, sha256: "of other bytes" };
    for (const name of ["f0", "f1"]) {
      using file = await Deno.open(`${dir}/${name}`, { write: true, create: true });
      await file.truncate(2 ** 26);
    }
    for (const count of [6, 12, 24]) {
      let given = 0;
      const batches = function* () {
        for (; given < count; given++) yield { f0: noted, f1: noted, f2: noted };
      };
      const broken = await brokenInBatches(dir, batches());
      const of = Object.groupBy(broken, ({ state }) => state);
      assertEquals([given, of.missing?.length, of.damaged?.length], [count, count, 4], `${count} batches`);
    }
  });
});
