import { assert, assertEquals, assertRejects } from "@std/assert";
import { describeShard, openFeatures } from "../../../src/data/features/feature_shards.ts";
import { createFeatures, type FeatureType } from "../../../src/data/features/feature_store.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { randomMatrix } from "../../support/random.ts";

const WIDTH = 7, TOKENS = 5;

/** Writes batches of 2, 2 and 1 images. */
async function write(path: string, dtype: FeatureType): Promise<Float32Array> {
  const { data } = randomMatrix(5 * TOKENS, WIDTH);
  const writer = await createFeatures(path, 3, WIDTH, dtype, { model: "test" });
  for (const [first, count] of [[0, 2], [2, 2], [4, 1]]) {
    const length = count * TOKENS;
    await writer.write({
      image: Int32Array.from({ length }, (_, i) => first + Math.floor(i / TOKENS)),
      token: Int16Array.from({ length }, (_, i) => i % TOKENS),
      vectors: data.slice(first * TOKENS * WIDTH, (first + count) * TOKENS * WIDTH),
    });
  }
  await writer.finish();
  return data;
}

Deno.test("features come back as they were written, whole and in panels", async (t) => {
  for (const [dtype, error] of [["float32", 0], ["float16", 1e-3]] as const) {
    await t.step(dtype, () =>
      inTemporaryFolder(async (root) => {
        const data = await write(`${root}/a.arrow`, dtype);
        const file = await openFeatures(`${root}/a.arrow`);
        assertEquals([file.rows, file.cols, file.meta.get("model"), file.meta.get("layer")], [
          25,
          7,
          "test",
          "3",
        ]);
        for (const [start, end] of [[0, 25], [0, 0], [3, 4], [8, 23], [20, 25]]) {
          const found = await file.readRows(start, end);
          const expected = data.subarray(start * WIDTH, end * WIDTH);
          assertEquals(found.length, expected.length);
          assert(
            found.every((v, i) => Math.abs(v - expected[i]) <= error * Math.abs(expected[i])),
            `rows ${start} to ${end}`,
          );
        }
        await assertRejects(() => file.readRows(20, 26), RangeError, "has 25 rows, not 20 to 26");
        await file.close();
      }));
  }
});

Deno.test("openFeatures() names a file that is cut short, no Arrow file, or absent", async () => {
  await inTemporaryFolder(async (root) => {
    await write(`${root}/whole.arrow`, "float32");
    const whole = await Deno.readFile(`${root}/whole.arrow`);
    for (const length of [0, 3, 100, whole.length >> 1, whole.length - 1]) {
      await Deno.writeFile(`${root}/cut.arrow`, whole.subarray(0, length));
      await assertRejects(() => openFeatures(`${root}/cut.arrow`), Error, "cut.arrow", `${length} bytes`);
    }
    await Deno.writeTextFile(`${root}/text.arrow`, "no features here, only words ".repeat(20));
    await assertRejects(() => openFeatures(`${root}/text.arrow`), Error, "text.arrow");
    await assertRejects(() => openFeatures(`${root}/absent.arrow`), Error, "absent.arrow");
  });
});

Deno.test("abandoned features leave no file", async () => {
  await inTemporaryFolder(async (root) => {
    const writer = await createFeatures(`${root}/a.arrow`, 1, WIDTH, "float32", {});
    await writer.abandon();
    assertEquals([...Deno.readDirSync(root)], []);
  });
});

Deno.test("a writer of features holds no more than 4 MB and a batch that wait for the disk, at three sizes", async () => {
  const { write } = Deno.FsFile.prototype, rows = 2048, width = 512, batch = 4 * rows * width;
  const columns = { image: new Int32Array(rows), token: new Int16Array(rows) };
  let written = 0;
  Deno.FsFile.prototype.write = async function (bytes) {
    await new Promise((resolve) => setTimeout(resolve, 2)); // a slow disk
    const count = await write.call(this, bytes);
    written += count;
    return count;
  };
  try {
    await inTemporaryFolder(async (root) => {
      for (const batches of [4, 8, 16]) {
        written = 0;
        const writer = await createFeatures(`${root}/${batches}.arrow`, 1, width, "float32", {});
        for (let i = 1; i <= batches; i++) {
          await writer.write({ ...columns, vectors: new Float32Array(rows * width).fill(i) });
          assert(i * batch - written <= 2 ** 22 + batch, `${i} of ${batches}: ${i * batch - written} bytes`);
        }
        await writer.finish();
      }
    });
  } finally {
    Deno.FsFile.prototype.write = write;
  }
});

Deno.test("describeShard() reads no large file whole, at three sizes", async () => {
  const { readFile } = Deno, read: (string | URL)[] = [];
  Deno.readFile = (path, options) => (read.push(path), readFile(path, options));
  try {
    await inTemporaryFolder(async (root) => {
      for (const megabytes of [17, 34, 68]) {
        const path = `${root}/${megabytes}.arrow`, bytes = megabytes * 1e6;
        await Deno.writeTextFile(path, "");
        await Deno.truncate(path, bytes);
        const { sha256, ...shard } = await describeShard(path, { first: 0, count: 256 });
        assertEquals(shard, { path, first: 0, count: 256, bytes });
        const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
        assertEquals(sha256, new Uint8Array(digest).toHex());
      }
    });
  } finally {
    Deno.readFile = readFile;
  }
  assertEquals(read, []);
});
