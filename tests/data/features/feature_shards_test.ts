import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { extractFeatures } from "../../../src/data/features/extract.ts";
import { readExtracted } from "../../../src/data/features/extract_parts.ts";
import { openFeatures, shardName, shardRanges } from "../../../src/data/features/feature_shards.ts";
import { sceneImages } from "../../../src/synthetic/scene_images.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { manifestWith } from "../../support/slurm_plans.ts";
import type { ExtractOptions } from "../../../src/data/features/stream_features.ts";
import { readPreprocessor } from "../../../src/data/images/preprocessor.ts";

const MODEL = new URL("../../../fixtures/models/mae_tiny.onnx", import.meta.url).pathname;

async function options(outDir: string, images: number, seen: string[] = []): Promise<ExtractOptions> {
  return {
    model: MODEL,
    outDir,
    dtype: "float16",
    shardImages: 2,
    batch: 2,
    preprocessor: await readPreprocessor(MODEL.replace(".onnx", ".preprocessor.json")),
    images: sceneImages(images, 0).map(({ name, load }) => ({ name, load: () => (seen.push(name), load()) })),
  };
}

/** All files under a folder with their bytes, by path within it; the manifest without the folder's name. */
async function tree(folder: string, under = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${under}`)) {
    const path = `${under}${name}`;
    if (isDirectory) Object.assign(found, await tree(folder, `${path}/`));
    else if (/^(?:manifest|header)\.json$/.test(name)) {
      found[path] = (await Deno.readTextFile(`${folder}/${path}`)).replaceAll(folder, "");
    } else found[path] = (await Deno.readFile(`${folder}/${path}`)).toBase64();
  }
  return Object.fromEntries(Object.entries(found).sort());
}

Deno.test("shardRanges() covers all images, in names that sort as the images", () => {
  assertEquals(shardRanges(5, 2), [{ first: 0, count: 2 }, { first: 2, count: 2 }, { first: 4, count: 1 }]);
  assertEquals(shardRanges(0), []);
  const names = shardRanges(1000, 64).map(shardName);
  assertEquals(names.toSorted(), names);
});

Deno.test("extractFeatures() in shards has the rows of one shard, read across their borders", () =>
  inTemporaryFolder(async (root) => {
    const many = await extractFeatures(await options(`${root}/many`, 5));
    const one = await extractFeatures({ ...await options(`${root}/one`, 5), shardImages: 5 });
    assertEquals(many.layers[3].shards.map(({ first, count }) => [first, count]), [[0, 2], [2, 2], [4, 1]]);
    for (const l of [0, 11]) {
      const [a, b] = [await openFeatures(many.layers[l].path), await openFeatures(one.layers[l].path)];
      assertEquals([a.rows, a.cols], [b.rows, b.cols]);
      const whole = await b.readRows(0, b.rows);
      for (const [from, to] of [[0, a.rows], [390, 400], [393, 394], [788, 985], [7, 7]]) {
        assertEquals(await a.readRows(from, to), whole.slice(from * a.cols, to * a.cols));
      }
      // Reads that overlap in time, in shards that are opened in turn.
      const parts = await Promise.all(
        [[900, 910], [0, 10], [500, 510]].map(([from, to]) => a.readRows(from, to)),
      );
      assertEquals(parts[1], whole.slice(0, 10 * a.cols));
      await a.close();
      await b.close();
    }
  }));

Deno.test("extractFeatures() makes exactly the lost, cut and altered shards again, byte for byte", () =>
  inTemporaryFolder(async (root) => {
    const { layers } = await extractFeatures(await options(root, 5)), before = await tree(root);
    const seen: string[] = [];
    await extractFeatures(await options(root, 5, seen));
    assertEquals(seen, []);
    const [lost, cut, altered] = [
      layers[0].shards[1].path,
      layers[5].shards[1].path,
      layers[7].shards[2].path,
    ];
    await Deno.remove(lost);
    await Deno.truncate(cut, 1000);
    const bytes = await Deno.readFile(altered);
    bytes[bytes.length >> 1] ^= 1;
    await Deno.writeFile(altered, bytes);
    await Deno.writeTextFile(
      `${root}/mae_tiny.L01/images-00000000-00000001.arrow.77.tmp`,
      "left by a killed run",
    );
    await extractFeatures(await options(root, 5, seen));
    assertEquals([...new Set(seen)].sort(), ["scene 0", "scene 2", "scene 3", "scene 4"]); // 0 tells the shape
    assertEquals(await tree(root), before);
  }));

Deno.test("extractFeatures() killed at any instant goes on after its last finished range, and ends in the same bytes", () =>
  inTemporaryFolder(async (root) => {
    const script = `${root}/extract.ts`, project = new URL("../../..", import.meta.url).href;
    await Deno.writeTextFile(
      script,
      `import { removeLeftovers } from "${project}src/data/files/atomic_write.ts";
       import { extractFeatures } from "${project}src/data/features/extract.ts";
       import { readPreprocessor } from "${project}src/data/images/preprocessor.ts";
       import { sceneImages } from "${project}src/synthetic/scene_images.ts";
       await removeLeftovers(Deno.args[0]); // as every task does
       await extractFeatures({ model: "${MODEL}", outDir: Deno.args[0], dtype: "float16", shardImages: 2, batch: 2,
         preprocessor: await readPreprocessor("${
        MODEL.replace(".onnx", ".preprocessor.json")
      }"), images: sceneImages(8, 0) });`,
    );
    const start = (out: string) =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--quiet",
          "--no-check",
          "-A",
          `--config=${new URL("deno.json", project).pathname}`,
          script,
          out,
        ],
        stdout: "null",
        stderr: "null",
      }).spawn();
    assertEquals((await start(`${root}/whole`).status).code, 0);
    let killed = 0;
    for (const shards of [1, 13, 30]) { // the instants: so many shards are there
      const child = start(`${root}/killed`);
      const count = async () => {
        let found = 0;
        for (const name of Object.keys(await tree(`${root}/killed`).catch(() => ({})))) {
          if (name.endsWith(".arrow")) found++;
        }
        return found;
      };
      let ended = false;
      child.status.then(() => ended = true);
      while (!ended && await count() < shards) await new Promise((resolve) => setTimeout(resolve, 5));
      if (!ended) {
        child.kill("SIGKILL");
        killed++;
      }
      await child.status;
    }
    assert(killed > 0, "no run was killed");
    assertEquals((await start(`${root}/killed`).status).code, 0);
    assertEquals(await tree(`${root}/killed`), await tree(`${root}/whole`));
  }));

Deno.test("extractFeatures() stopped by its signal keeps the ranges it has finished, and the next one goes on there", () =>
  inTemporaryFolder(async (root) => {
    const controller = new AbortController(), { signal } = controller, seen: string[] = [];
    const onProgress = (images: number) => images >= 4 && controller.abort();
    const stopped = await options(`${root}/stopped`, 7);
    const error = await assertRejects(
      () => extractFeatures({ ...stopped, signal, onProgress }),
      DOMException,
    );
    assertEquals(error.name, "AbortError");
    await extractFeatures(await options(`${root}/stopped`, 7, seen));
    assertEquals(
      seen.length,
      1 + 3,
      "the first, for its size, and those of the ranges that were not finished",
    );
    await extractFeatures(await options(`${root}/whole`, 7));
    assertEquals(await tree(`${root}/stopped`), await tree(`${root}/whole`));
  }));

Deno.test("openFeatures() names what is missing of a folder of shards", () =>
  inTemporaryFolder(async (root) => {
    const { layers: [{ path, shards }] } = await extractFeatures(await options(root, 5));
    const message = async (folder: string) =>
      (await assertRejects(() => openFeatures(folder), Error)).message;
    await Deno.remove(shards[1].path);
    assertEquals(
      await message(path),
      `Cannot read the features ${path}: the shard of image 2 is missing; extract them again.`,
    );
    await Deno.mkdir(`${root}/empty`);
    assertStringIncludes(await message(`${root}/empty`), "the folder holds no shard");
    assertStringIncludes(await message(`${root}/absent`), "Cannot read the features");
    await Deno.copyFile(shards[0].path, shards[1].path);
    await Deno.truncate(shards[2].path, 500);
    const file = await openFeatures(path);
    await assertRejects(() => file.readRows(800, 810), Error, shards[2].path);
    await file.close();
  }));

Deno.test("readExtracted() names the field of a manifest that another version or hand wrote", () =>
  inTemporaryFolder(async (dir) => {
    const path = `${dir}/manifest.json`, whole = manifestWith({ path: "a.arrow", bytes: 5 });
    await Deno.writeTextFile(path, JSON.stringify(whole));
    assertEquals(await readExtracted(dir), whole);
    const [layer] = whole.layers;
    for (
      const [own, why] of [
        [{ heads: "four" }, '"heads" is "four", expected a whole number from 0 on'],
        [{ hook: undefined }, '"hook" is missing, expected "attention" or "residual"'],
        [
          { layers: [{ ...layer, shards: undefined }] },
          '"layers.0.shards" is missing, expected a list of shards',
        ],
      ] as const
    ) {
      await Deno.writeTextFile(path, JSON.stringify({ ...whole, ...own }));
      const { message } = await assertRejects(() => readExtracted(dir), Error);
      assertStringIncludes(message, `Cannot use ${path} (${why}`);
      assertStringIncludes(message, ": extract the features again.");
    }
  }));
