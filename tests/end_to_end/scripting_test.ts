import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  encodePng,
  listPhotographs,
  meanFeatures,
  parseOptions,
  patchFeatures,
  readPhotograph,
  savePage,
  savePng,
} from "../../mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const OPTIONS = { photos: ["", "a folder"], layer: [9, "a number"] } as const;

Deno.test("parseOptions() reads both forms and keeps the types of the defaults", () => {
  assertEquals(parseOptions(OPTIONS, []), { photos: "", layer: 9 });
  assertEquals(parseOptions(OPTIONS, ["--photos", "a=b c", "--layer=-0.5"]), {
    photos: "a=b c",
    layer: -0.5,
  });
  assertEquals(parseOptions(OPTIONS, ["--photos="]), { photos: "", layer: 9 });
});

Deno.test("parseOptions() refuses what is out of range, or no whole number where one is asked for", () => {
  const options = {
    x: [0.5, "a share", [0, 1]],
    layer: [9, "a number", [1, Infinity]],
    rate: [1, "any"],
  } as const;
  assertEquals(parseOptions(options, ["--x", "1", "--layer", "1", "--rate=-2.5"]), {
    x: 1,
    layer: 1,
    rate: -2.5,
  });
  const refused: [string, string, string][] = [
    ...[["x", "300", "give a number from 0 to 1."], ["x", "-0.1", "give a number from 0 to 1."]] as [
      string,
      string,
      string,
    ][],
    ["layer", "0", "give a whole number from 1 on."],
    ["layer", "2.5", "give a whole number from 1 on."],
    ["rate", "much", "give a number."],
    ["x", "Infinity", "give a number from 0 to 1."],
  ];
  for (const [name, value, message] of refused) {
    assertThrows(
      () => parseOptions(options, [`--${name}=${value}`]),
      RangeError,
      `--${name} is "${value}": ${message}`,
    );
  }
});

Deno.test("parseOptions() refuses what is no option, no value or no number", () => {
  const refused = (args: string[], message: string) =>
    assertThrows(() => parseOptions(OPTIONS, args), RangeError, message);
  refused(["--layr", "3"], "There is no option --layr: did you mean --layer? (--help lists them all.)");
  refused(["3"], '"3" belongs to no option');
  refused(["--toString", "3"], "There is no option --toString");
  refused(["--layer"], "--layer is given without a value: write --layer=X.");
  refused(["--layer", "six"], '--layer is "six": give a number.');
  refused(["--layer="], "--layer is given without a value");
});

Deno.test("savePng() writes every pixel as a square of zoom × zoom, and makes the folder; listPhotographs() lists it", async () => {
  await inTemporaryFolder(async (dir) => {
    const path = `${dir}/a/b/c.png`, data = Uint8Array.of(1, 2, 3, 250, 251, 252);
    await savePng(path, { width: 2, height: 1, data }, 3);
    const read = await readPhotograph(path);
    assertEquals([read.width, read.height], [6, 3]);
    for (let at = 0; at < 18; at++) {
      assertEquals([...read.data.subarray(3 * at, 3 * at + 3)], [
        ...data.subarray(at % 6 < 3 ? 0 : 3).subarray(0, 3),
      ]);
    }
    await assertRejects(
      () => encodePng({ width: 2, height: 2, data }),
      RangeError,
      "A 2 × 2 picture needs 12 bytes, found 6.",
    );
    await assertRejects(() => encodePng({ width: 2, height: 1, data }, 0.5), RangeError, "zoom is 0.5");
    await savePng(`${dir}/a/b/a.png`, { width: 2, height: 1, data });
    assertEquals(await listPhotographs(`${dir}/a/b`, 1), [`${dir}/a/b/a.png`]);
    assertEquals(await listPhotographs(`${dir}/a/b`), [`${dir}/a/b/a.png`, path]);
    await Deno.writeTextFile(`${dir}/file`, "");
    await assertRejects(() => savePng(`${dir}/file/c.png`, read), Error, `Cannot write ${dir}/file/c.png`);
  });
});

Deno.test("patchFeatures() refuses layers that the model does not have", async () => {
  await inTemporaryFolder(async (dir) => {
    await savePng(`${dir}/a.png`, { width: 32, height: 32, data: new Uint8Array(3072).fill(99) });
    await assertRejects(
      () => patchFeatures("mae_tiny", [`${dir}/a.png`], [0]),
      RangeError,
      "mae_tiny has layers 1 to 12, not 0.",
    );
    const { grid, layers, views } = await patchFeatures("mae_tiny", [`${dir}/a.png`], [12, 2]);
    assertEquals(layers.map(({ layer }) => layer), [2, 12]);
    assertEquals([layers[0].patches.rows, views.length], [grid.rows * grid.cols, 1]);
    const keys = await patchFeatures("mae_tiny", [`${dir}/a.png`], [2], "k");
    assertEquals([keys.hook, keys.layers[0].patches.rows], ["k", grid.rows * grid.cols]);
    assert(keys.layers[0].patches.data.some((value, i) => value !== layers[0].patches.data[i]));
    for (const hook of ["attention", "residual", "mlp", "q", "k", "v"] as const) {
      const found = await patchFeatures("mae_tiny", [`${dir}/a.png`], [2], { hook, extract: "cpu" });
      assertEquals([found.hook, found.layers[0].classToken!.rows], [hook, 1]);
    }
    const loaded = { name: "a.png", load: () => readPhotograph(`${dir}/a.png`) };
    assertEquals(
      await patchFeatures("mae_tiny", [loaded], [2]),
      await patchFeatures("mae_tiny", [`${dir}/a.png`], [2]),
    );
    const refused: [unknown, string][] = [
      [{ hook: "keys" }, 'hook is "keys": give attention, residual, mlp, q, k or v.'],
      [{ extract: "cuda" }, 'extract is "cuda": give cpu, webgpu or auto.'],
      [{ shifts: 9 }, "shifts is 9: give a whole number from 1 to 8."],
    ];
    for (const [options, message] of refused) {
      for (const run of [patchFeatures, meanFeatures]) {
        const models = (run === patchFeatures ? "mae_tiny" : ["mae_tiny"]) as never;
        const rest = run === patchFeatures ? [[2], options] : [options];
        await assertRejects(() => run(models, [`${dir}/a.png`], ...rest as [never]), RangeError, message);
      }
    }
  });
});

Deno.test("patchFeatures() and meanFeatures() are what PyTorch hooks see: patches only, and means with the class token", async () => {
  const folder = new URL("../golden/onnx", import.meta.url).pathname, name = "sdpa_ts14";
  const golden = JSON.parse(await Deno.readTextFile(`${folder}/golden.json`))[name].photographs;
  await inTemporaryFolder(async (dir) => {
    const model = `${dir}/${name}.onnx`, photographs = [`${dir}/0.png`, `${dir}/1.png`];
    await Deno.copyFile(`${folder}/${name}.onnx`, model);
    const settings = { do_resize: false, do_center_crop: false, do_rescale: true, rescale_factor: 1 / 255 };
    const half = { do_normalize: true, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };
    await Deno.writeTextFile(
      `${dir}/${name}.preprocessor.json`,
      JSON.stringify({ ...settings, ...half }),
    );
    for (const [i, path] of photographs.entries()) { // photographs() of golden/onnx/make.py
      const data = Uint8Array.from({ length: 1728 }, (_, at) => (i * 1728 + at) * 7919 % 251);
      await savePng(path, { width: 24, height: 24, data });
    }
    const { grid, layers } = await patchFeatures(model, photographs);
    const { slots, means } = await meanFeatures([model], photographs);
    assertEquals([grid, layers.length, slots.length], [{ rows: 3, cols: 3 }, 2, 2]);
    for (const [l, { patches, classToken }] of layers.entries()) {
      const rows = [0, 1].flatMap((i) =>
        [...Array(10).keys()].map((token) =>
          golden[l].slice((10 * i + token) * 16, (10 * i + token + 1) * 16)
        )
      );
      assertClose(patches.data, rows.filter((_, at) => at % 10 > 0).flat(), { relative: 1e-4 });
      assertClose(classToken!.data, [...rows[0], ...rows[10]], { relative: 1e-4 });
      for (const i of [0, 1]) {
        const mean = rows[0].map((_: number, c: number) =>
          rows.slice(10 * i, 10 * i + 10).reduce((sum, row) => sum + row[c] / 10, 0)
        );
        assertClose(means.data.subarray(i * 32 + l * 16, i * 32 + l * 16 + 16), mean, { relative: 1e-4 });
      }
    }
  });
});

Deno.test("savePage() escapes what it is told, and keeps a chart's own width", async () => {
  await inTemporaryFolder(async (dir) => {
    const encoding = { x: { field: "a", type: "quantitative" }, y: { field: "b", type: "nominal" } };
    const chart = { width: 123, data: { values: [{ a: 1, b: "<u>" }] }, mark: "bar", encoding };
    await savePage(`${dir}/new/a.html`, {
      title: "<b>t",
      question: "q?",
      method: "m",
      sections: [{ heading: "<i>h", chart, table: { columns: ["x", "y"], rows: [["<s>", 1]] } }, {
        heading: "none",
      }],
      settings: { seed: 3 },
    });
    const markup = await Deno.readTextFile(`${dir}/new/a.html`);
    for (const tag of ["<b>", "<i>", "<s>", "<u>"]) assert(!markup.includes(tag), tag);
    assertStringIncludes(markup, "seed");
    assertEquals(JSON.parse(await Deno.readTextFile(`${dir}/new/a-1.vl.json`)).width, 123);
  });
});
