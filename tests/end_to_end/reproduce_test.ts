import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { reproduce as runReproduce } from "../../tasks/reproduce.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const TASK = new URL("../../tasks/reproduce.ts", import.meta.url).pathname;
const MODEL = new URL("../../fixtures/models/mae_tiny.onnx", import.meta.url).pathname;
const PREPROCESSOR = new URL("../../fixtures/models/mae_tiny.preprocessor.json", import.meta.url).pathname;
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

/** Runs the task on bad input and checks: one sentence, nothing in the output folder. */
async function refuses(sentence: string, folder: string, ...args: string[]): Promise<void> {
  const out = `${folder}/out`, places = ["--out", out, "--cache", `${folder}/cache`];
  const { message } = await assertRejects(() => runReproduce([...places, ...args]), Error);
  assertStringIncludes(message, sentence);
  assert(!message.includes("\n"), message);
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
  const plain = await Deno.readFile(new URL("../golden/onnx/no_attention.onnx", import.meta.url));
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
    assert(!errors.some((line) => /^\s+at /.test(line)), errors.join("\n"));
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

/** What the task says of a command line; nothing is made of it. */
async function saysOf(args: string[]): Promise<string> {
  let said = "";
  await inTemporaryFolder(async (root) => {
    const places = ["--out", `${root}/out`, "--cache", `${root}/cache`];
    const { message } = await assertRejects(() => runReproduce([...args, ...places]), Error);
    for (const folder of ["out", "cache/runs"]) {
      assertEquals(
        await Array.fromAsync(Deno.readDir(`${root}/${folder}`)).catch(() => []),
        [],
        args.join(" "),
      );
    }
    said = message;
  });
  return said;
}

Deno.test("reproduce says at once what to type instead of a command line that is wrong, or has no effect", async () => {
  await inTemporaryFolder(async (root) => {
    await Deno.mkdir(`${root}/subj01/training_split`, { recursive: true });
    await Deno.mkdir(`${root}/voc/SegmentationClass`, { recursive: true });
    const { default: sharp } = await import("sharp");
    await Deno.mkdir(`${root}/photos`);
    await Deno.mkdir(`${root}/masks`);
    await sharp({ create: { width: 32, height: 32, channels: 3, background: "#a63" } }).jpeg()
      .toFile(`${root}/photos/a.jpg`);
    await Deno.writeTextFile(`${root}/masks/b.png`, "of another");
    const cases: [args: string[], message: string][] = [
      [[`${root}/photos`], `"${root}/photos" belongs to no option: write --images ${root}/photos.`],
      [[`${root}/subj01`], `write --data algonauts:${root}/subj01.`],
      [[`${root}/voc`], `write --data voc:${root}/voc.`],
      [["vit.onnx"], '"vit.onnx" belongs to no option: write --model vit.onnx.'],
      [["../a/b.jpg"], "as --images ../a/."],
      [["--quick", "yes"], '"yes" belongs to no option: write --NAME yes.'],
      [["--zzz"], "There is no option --zzz: --help lists them all."],
      [["--limit", "-3"], '--limit is "-3": give a whole number from 1 on.'],
      [["--limit", "1e3"], '--limit is "1e3": give a whole number'],
      [["--seed", "-1"], '--seed is "-1": give a whole number from 0 on.'],
      [["--adapter", "gpu"], '--adapter is "gpu": give hardware or software.'],
      [["--figures", "gif"], "--figures"],
      [
        ["--neighbor-search", "fast", "--neighbors", "8"],
        '--neighbor-search is "fast": give exact, ivf, hnsw or auto.',
      ],
      [["--sampling", "best"], '--sampling is "best": give uniform or farthest.'],
      [["--neighbors", "128", "--landmarks", "100"], "--neighbors is 128, more than the 100 landmarks"],
      [["--images-per-shard", "9"], "--images-per-shard is 9: give a multiple of 8"],
      [
        ["--model", "photo.jpg"],
        "photo.jpg is no ONNX file: --model takes a vision transformer, photographs go by",
      ],
      [["--model", "nothere.onnx"], "There is no model file nothere.onnx."],
      [["--model", "vit.pt"], "vit.pt is no ONNX file: export the model to one."],
      [["--model", `${root}/photos`], "photos is a folder: --model takes an ONNX file, or a model's name."],
      [["--images", `${root}/photo`], `There is no folder ${root}/photo.`],
      [
        ["--images", `${root}/photos`, "--masks", `${root}/mask`],
        `Cannot list the masks of ${root}/mask: No such`,
      ],
      [["--images", `${root}/photos`, "--masks", `${root}/masks`], "There is no mask of a.jpg: expected "],
      [["--masks", `${root}/masks`], "--masks belongs to --images"],
      ...["alignment=paper", "evaluation-images=9"].map((option): [string[], string] => [
        ["--images", `${root}/photos`, `--${option}`],
        `--${option.split("=")[0]} has no effect here: photographs through one model are not aligned`,
      ]),
      [
        ["--partition", "gpu", "--resume"],
        "--partition and --resume have no effect here: options of a run on a cluster",
      ],
      [
        ["--data", `voc:${root}/voc`, "--masks", "m"],
        "--masks has no effect here: they are for photographs through",
      ],
      [["--slurm", "--registers", "4"], "--registers has no effect here"],
      [["--slurm", "--check-error"], "--check-error has no effect here: a run on a cluster"],
      [["--dry-run", "--check-error"], "--check-error has no effect here: --dry-run computes nothing"],
      [["--explain", "--audit"], "--check-error has no effect here: --dry-run computes nothing"],
    ];
    for (const [args, message] of cases) assertStringIncludes(await saysOf(args), message);
  });
});

Deno.test("reproduce --dry-run reports what would run, for photographs and for all experiments, and makes nothing", () =>
  inTemporaryFolder(async (root) => {
    const { default: sharp } = await import("sharp");
    await Deno.mkdir(`${root}/photos`);
    await sharp({ create: { width: 32, height: 32, channels: 3, background: "#a63" } }).jpeg()
      .toFile(`${root}/photos/a.jpg`);
    const told: string[] = [],
      log = console.log,
      places = ["--out", `${root}/out`, "--cache", `${root}/cache`];
    console.log = (line: string) => told.push(line);
    try {
      await runReproduce(["--images", `${root}/photos`, "--model", MODEL, "--dry-run", ...places]);
      await runReproduce(["--quick", "--dry-run", ...places]);
    } finally {
      console.log = log;
    }
    assertEquals(told, [
      "photographs-features-mae_tiny: would run (never finished before)",
      "colors: would run (they depend on the features)",
      "synthetic dataset: would run (its 120 scenes are not there as this code makes them)",
      ...["align", "features", "eigenvectors", "map", "colors"].map((name) =>
        `${name}: would run (it needs what synthetic dataset makes)`
      ),
    ]);
    assertEquals([...Deno.readDirSync(root)].map(({ name }) => name), ["photos"]);
  }));

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
      const page = await Deno.readTextFile(`${root}/${name}/photographs.html`);
      return { results, maps: page.match(/data:image\/png;base64,[^"]+/g)! };
    };
    const first = await run("first"), again = await run("again");
    assertEquals(first.results.inputs.nodes, 2 * 197);
    assert(first.maps.length >= 2 * 13, `${first.maps.length} pictures`);
    assertEquals(first.maps, again.maps);
    const scoresOf = ({ experiments }: typeof first.results) =>
      Object.entries(experiments.photographs.metrics).filter(([name]) => /^(?:miou|threshold)\./.test(name));
    assert(scoresOf(first.results).length > 2 * 12);
    assertEquals(scoresOf(first.results), scoresOf(again.results));
    assertEquals(first.results.experiments.photographs.metrics["residual.max"] <= 1e-5, true);
  });
});
