import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exampleData, listPhotographs } from "../../mod.ts";
import { readEmbedding } from "../../src/data/formats/read_embedding.ts";
import { writeTable } from "../../src/data/formats/table_file.ts";
import { readImage } from "../../src/data/images/image.ts";
import { readPalettePng } from "../../src/data/images/palette_png.ts";
import { preprocessMask } from "../../src/data/images/preprocess.ts";
import { openRunModels } from "../../src/pipeline/models.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);
const scripts = [...Deno.readDirSync(EXAMPLES)].map(({ name }) => name).filter((name) => name.endsWith(".ts"))
  .sort();

/** Runs an example from another folder, as a copy of it would be. */
async function run(name: string, cwd: string, ...args: string[]) {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--config", config, new URL(name, EXAMPLES).pathname, ...args],
    cwd,
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

async function runWell(name: string, cwd: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(name, cwd, ...args);
  assertEquals(code, 0, stderr);
  return stdout;
}

async function exists(path: string): Promise<boolean> {
  return (await Deno.stat(path)).size > 0;
}

Deno.test("examples: six scripts of 40 lines at most, each with one import, that of the package", async () => {
  assertEquals(scripts.length, 6);
  for (const name of scripts) {
    const code = await Deno.readTextFile(new URL(name, EXAMPLES));
    assert(code.trimEnd().split("\n").length <= 40, `${name} has ${code.trimEnd().split("\n").length} lines`);
    assertEquals(code.match(/^import .*$/gm), [`import * as ac from "@alignedcut/alignedcut";`], name);
  }
});

Deno.test("examples: --help tells every option, an unknown one is refused in a sentence", async () => {
  for (const name of scripts) {
    const help = await runWell(name, ".", "--help");
    const code = await Deno.readTextFile(new URL(name, EXAMPLES));
    for (const [, option] of code.matchAll(/options\.(\w+)/g)) assertStringIncludes(help, `--${option} `);
  }
  const { code, stderr } = await run(scripts[0], ".", "--colour", "red");
  assertEquals(code, 1);
  assertStringIncludes(stderr, "There is no option --colour: --help lists them all.");
  assert(!stderr.includes("    at "), stderr);
});

Deno.test("examples/color_photos.ts gives every patch of every photograph a color", async () => {
  await inTemporaryFolder(async (dir) => {
    await runWell("color_photos.ts", dir, "--limit", "2");
    const { width, height } = await readImage(`${dir}/colors/scene_000001.jpg.png`);
    assertEquals([width, height], [14 * 16, 14 * 16]);
    const { matrix, names } = await readEmbedding(`${dir}/colors/nodes.csv`);
    assertEquals([matrix.rows, matrix.cols], [2 * 14 * 14, 1 + 2 + 20 + 3]);
    assertEquals(names!.at(-1), "scene_000001.jpg");
  });
});

Deno.test("examples/segment_by_click.ts keeps the patch that is pointed at", async () => {
  await inTemporaryFolder(async (dir) => {
    const [photo] = await listPhotographs((await exampleData()).photographs);
    const said = await runWell("segment_by_click.ts", dir, "--photo", photo, "--x=0.2", "--y", "0.9");
    const [, kept, all] = /^(\d+) of (\d+) patches/.exec(said)!.map(Number);
    assert(kept >= 1 && kept < all, said);
    const { width, height, data } = await readImage(`${dir}/segment/segment.png`);
    const at = 3 * (Math.floor(0.9 * height) * width + Math.floor(0.2 * width));
    assert(data[at] + data[at + 1] + data[at + 2] > 0);
    for (
      const [option, value, range] of [["x", "300", "0 to 1"], ["y", "-0.1", "0 to 1"], [
        "threshold",
        "2",
        "-1 to 1",
      ]]
    ) {
      const { code, stderr } = await run("segment_by_click.ts", dir, `--${option}`, value);
      assertEquals([code, stderr.trim()], [1, `--${option} is "${value}": give a number from ${range}.`]);
    }
    const { code, stderr } = await run("segment_by_click.ts", dir, "--photo", "none.jpg");
    assertEquals([code, stderr.split("\n").at(-2)], [1, "There is no folder none.jpg."]);
  });
});

Deno.test("examples/segment_by_click.ts shows an object where no option is given", () =>
  inTemporaryFolder(async (dir) => {
    await runWell("segment_by_click.ts", dir);
    const picture = await readImage(`${dir}/segment/segment.png`), { photographs } = await exampleData();
    const [, name] = (await listPhotographs(photographs)).map((path) => path.replace(/^.*\/|\.jpg$/g, ""));
    const mask = await readPalettePng(photographs.replace("JPEGImages", `SegmentationClass/${name}.png`));
    const { view } = await openRunModels(["mae_tiny"]);
    const { width, data: truth } = preprocessMask({
      ...mask,
      data: mask.data.map((label) => Number(label > 0)),
    }, view);
    let both = 0, either = 0;
    for (let i = 0; i < truth.length; i++) {
      const at = 3 * (2 * Math.floor(i / width) * picture.width + 2 * (i % width));
      const isKept = picture.data[at] + picture.data[at + 1] + picture.data[at + 2] > 0,
        isObject = truth[i] === 1;
      both += Number(isKept && isObject);
      either += Number(isKept || isObject);
    }
    assert(both / either > 0.7, `intersection over union ${both / either}`);
  }));

Deno.test("examples/compare_models.ts finds a model's layers to be like themselves", async () => {
  await inTemporaryFolder(async (dir) => {
    await runWell("compare_models.ts", dir, "--limit", "1", "--a", "mae_tiny", "--b", "mae_tiny");
    const { matrix: { data, rows } } = await readEmbedding(`${dir}/compared/overlap.csv`);
    assertEquals(rows, 144);
    for (let i = 0; i < rows; i++) {
      const [a, b, overlap] = data.subarray(3 * i, 3 * i + 3);
      if (a === b) assert(Math.abs(overlap - 1) < 1e-3, `layer ${a}: ${overlap}`);
      assert(overlap >= 0 && overlap <= 1.001);
    }
    assert(await exists(`${dir}/compared/index.html`));
    const other = new URL("../golden/onnx/fused_qkv_ts17.onnx", import.meta.url).pathname;
    await Deno.copyFile(other, `${dir}/other.onnx`);
    const preprocessor = { image_processor_type: "ViTImageProcessor", size: 24 };
    await Deno.writeTextFile(`${dir}/other.preprocessor.json`, JSON.stringify(preprocessor));
    const { code, stderr } = await run("compare_models.ts", dir, "--limit", "2", "--b", `${dir}/other.onnx`);
    assertEquals(code, 1);
    assertMatch(stderr, /Patches are 14 × 14 and \d+ × \d+: give models of one grid\./);
  });
});

Deno.test("examples/predict_voxels.ts predicts held-out responses and writes every voxel's score", async () => {
  await inTemporaryFolder(async (dir) => {
    const { subject } = await exampleData();
    const said = await runWell("predict_voxels.ts", dir, "--subject", subject);
    const [, mean, voxels] = /^mean r (-?[\d.]+) of (\d+) voxels/.exec(said)!.map(Number);
    assert(mean > 0.2, said);
    const { matrix, names } = await readEmbedding(`${dir}/brain/voxels.arrow`);
    assertEquals([matrix.rows, matrix.cols], [voxels, 1]);
    assert(
      names!.includes("V1v") && Math.abs(matrix.data.reduce((sum, r) => sum + r, 0) / voxels - mean) < 0.001,
    );
    assertStringIncludes(await Deno.readTextFile(`${dir}/brain/index.html`), "FFA-1");
    assertStringIncludes(await Deno.readTextFile(`${dir}/brain/cortex.svg`), "<image ");
  });
});

Deno.test("examples/cluster_embedding.ts finds the groups of a table of one's own", async () => {
  await inTemporaryFolder(async (dir) => {
    const group = Array.from({ length: 30 }, (_, i) => i % 3);
    const axis = (g: number) =>
      Float32Array.from(group, (own, i) => Number(own === g) + 0.1 * Math.sin(7 * i + g));
    await writeTable(`${dir}/things.csv`, [{
      name: group.map((g) => `g${g}`),
      x: axis(0),
      y: axis(1),
      z: axis(2),
    }]);
    await runWell("cluster_embedding.ts", dir, "--file", "things.csv", "--out", "found");
    const { matrix: { data, cols }, names } = await readEmbedding(`${dir}/found/clusters.arrow`);
    assertEquals(names!.map((name) => Number(name.slice(1))), group.map((_, i) => data[i * cols]));
  });
});

Deno.test("examples/vega_page.ts writes a page and the chart's spec", async () => {
  await inTemporaryFolder(async (dir) => {
    await runWell("vega_page.ts", dir, "--limit", "1");
    const page = await Deno.readTextFile(`${dir}/eigenvalues/index.html`);
    assertStringIncludes(page, "Eigenvalues of mae_tiny");
    assertStringIncludes(page, "<svg");
    assert(!page.includes("results.json"));
    const { data } = JSON.parse(await Deno.readTextFile(`${dir}/eigenvalues/index-1.vl.json`));
    assertEquals(data.values.length, 12 * 8);
  });
});

Deno.test("mod.ts loads without any permission: packages load on use", async () => {
  await inTemporaryFolder(async (dir) => {
    const mod = new URL("../../mod.ts", import.meta.url);
    await Deno.writeTextFile(
      `${dir}/load.ts`,
      `import * as ac from "${mod}"; console.log(typeof ac.savePage);`,
    );
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-lock", `${dir}/load.ts`],
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "function\n", new TextDecoder().decode(stderr));
  });
});
