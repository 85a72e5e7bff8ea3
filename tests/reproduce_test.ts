import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inTemporaryFolder } from "./in_temporary_folder.ts";

const TASK = new URL("../tasks/reproduce.ts", import.meta.url).pathname;
const MODEL = new URL("../fixtures/models/mae_tiny.onnx", import.meta.url).pathname;
const PREPROCESSOR = new URL("../fixtures/models/mae_tiny.preprocessor.json", import.meta.url).pathname;
const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"];

async function reproduce(...args: string[]): Promise<{ code: number; errors: string[] }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, TASK, ...args],
    stderr: "piped",
    stdout: "null",
  });
  const { code, stderr } = await command.output();
  const lines = new TextDecoder().decode(stderr).split("\n").filter((line) =>
    line && !line.includes("XDG_RUNTIME_DIR")
  );
  return { code, errors: lines };
}

/** Runs the task on bad input and checks: exit code 1, the sentence last, no stack trace, nothing in the output folder. */
async function refuses(sentence: string, folder: string, ...args: string[]): Promise<void> {
  const out = `${folder}/out`;
  const { code, errors } = await reproduce("--out", out, "--cache", `${folder}/cache`, ...args);
  assertEquals(code, 1, errors.join("\n"));
  assertStringIncludes(errors.at(-1)!, sentence);
  assert(!errors.some((line) => /^\s+at /.test(line)), errors.join("\n"));
  let left: string[] = [];
  try {
    left = [...Deno.readDirSync(out)].map(({ name }) => name);
  } catch { /* not even made */ }
  assertEquals(left, []);
}

async function folderWith(root: string, name: string, bytes: Uint8Array): Promise<string> {
  const images = `${root}/images`;
  await Deno.mkdir(images, { recursive: true });
  await Deno.writeFile(`${images}/${name}`, bytes);
  return images;
}

const text = new TextEncoder().encode("this is no picture, whatever its name says");

Deno.test("reproduce says one sentence for bad images and exits with 1", async (t) => {
  const { default: sharp } = await import("sharp");
  const jpeg = await sharp({ create: { width: 64, height: 64, channels: 3, background: "#a63" } }).jpeg()
    .toBuffer();
  const cases: [string, string, Uint8Array][] = [
    ["a truncated JPEG", "cut.jpg", new Uint8Array(jpeg.subarray(0, jpeg.length - 40))],
    ["a 0-byte PNG", "empty.png", new Uint8Array()],
    ["a text file named .png", "text.png", text],
  ];
  for (const [what, name, bytes] of cases) {
    await t.step(
      what,
      () =>
        inTemporaryFolder(async (root) =>
          refuses(name, root, "--images", await folderWith(root, name, bytes))
        ),
    );
  }
  await t.step(
    "a folder without images",
    () => inTemporaryFolder((root) => refuses(root, root, "--images", root)),
  );
});

Deno.test("reproduce says one sentence for bad models and exits with 1", async (t) => {
  const whole = await Deno.readFile(MODEL);
  const plain = await Deno.readFile(new URL("./golden/onnx/no_attention.onnx", import.meta.url));
  const cases: [string, Uint8Array][] = [
    ["cut short", whole.subarray(0, 100_000)],
    ["no ONNX at all", text],
    ["no attention", plain],
  ];
  for (const [what, bytes] of cases) {
    await t.step(what, () =>
      inTemporaryFolder(async (root) => {
        await Deno.writeFile(`${root}/bad.onnx`, bytes);
        await Deno.copyFile(PREPROCESSOR, `${root}/bad.preprocessor.json`);
        await refuses("bad.onnx", root, "--limit", "1", "--model", `${root}/bad.onnx`);
      }));
  }
  await t.step(
    "absent",
    () => inTemporaryFolder((root) => refuses("absent", root, "--model", `${root}/absent.onnx`)),
  );
});

Deno.test("reproduce says one sentence for bad options and exits with 1", async (t) => {
  await t.step("an unwritable --out", async () => {
    const { code, errors } = await reproduce("--out", "/proc/alignedcut");
    assertEquals(code, 1);
    assertStringIncludes(errors.at(-1)!, "/proc/alignedcut");
  });
  await t.step(
    "an unknown flag",
    () => inTemporaryFolder((root) => refuses("did you mean --images?", root, "--image", "x")),
  );
  await t.step(
    "a bad number",
    () => inTemporaryFolder((root) => refuses('--seed is "two"', root, "--seed", "two")),
  );
});

Deno.test("reproduce writes the report, and the same colors twice", async () => {
  await inTemporaryFolder(async (root) => {
    const run = async (name: string) => {
      const { code, errors } = await reproduce(
        "--out",
        `${root}/${name}`,
        "--limit",
        "2",
        "--quick",
        "--seed",
        "7",
        "--model",
        MODEL,
      );
      assertEquals(code, 0, errors.join("\n"));
      const results = JSON.parse(await Deno.readTextFile(`${root}/${name}/results.json`));
      const page = await Deno.readTextFile(`${root}/${name}/index.html`);
      return { results, maps: page.match(/data:image\/png;base64,[^"]+/g)! };
    };
    const first = await run("first"), again = await run("again");
    assertEquals(first.results.inputs.nodes, 2 * 197);
    assert(first.maps.length >= 2 * 13, `${first.maps.length} pictures`);
    assertEquals(first.maps, again.maps);
    assertEquals(first.results.experiments.segmentation, again.results.experiments.segmentation);
    assertEquals(first.results.experiments.colors.metrics["residual.max"] <= 1e-5, true);
  });
});
