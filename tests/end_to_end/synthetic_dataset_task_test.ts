import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const TASK = new URL("../../tasks/synthetic_dataset.ts", import.meta.url).pathname;
const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"];

async function run(...args: string[]): Promise<{ code: number; text: string; errors: string[] }> {
  const command = new Deno.Command(Deno.execPath(), { args: ["run", ...PERMISSIONS, TASK, ...args] });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  const errors = decoder.decode(stderr).split("\n").filter((line) => line !== "");
  return { code, text: decoder.decode(stdout), errors };
}

/** SHA-256 of every file under a folder, by its path inside. */
function hashes(root: string, dir = ""): Record<string, string> {
  const entries = [...Deno.readDirSync(`${root}/${dir}`)].sort((a, b) => a.name < b.name ? -1 : 1);
  return Object.assign(
    {},
    ...entries.map(({ name, isDirectory }) => {
      const path = `${dir}${name}`;
      if (isDirectory) return hashes(root, `${path}/`);
      return { [path]: createHash("sha256").update(Deno.readFileSync(`${root}/${path}`)).digest("hex") };
    }),
  );
}

Deno.test("synthetic-dataset writes byte-identical trees, and the page beside them", () =>
  inTemporaryFolder(async (root) => {
    for (const name of ["first", "again"]) {
      const { code, errors } = await run(
        "--scenes",
        "10",
        "--seed",
        "3",
        "--out",
        `${root}/${name}`,
        "--report",
        `${root}/report`,
      );
      assertEquals(code, 0, errors.join("\n"));
      assertStringIncludes(errors.at(-1)!, "10 training, 2 held-out and 1 segmentation scenes");
    }
    const first = hashes(`${root}/first`);
    assertEquals(hashes(`${root}/again`), first);
    for (const path of ["dataset.json", "truth/voxels.json", "imagenet_segmentation/gtsegs_ijcv.mat"]) {
      assert(path in first, path);
    }
    assertEquals(JSON.parse(Deno.readTextFileSync(`${root}/first/dataset.json`)).subjectSeed, 3);
    assertStringIncludes(
      Deno.readTextFileSync(`${root}/report/fixtures.html`),
      "voxels lie on a vertex of it",
    );
  }));

Deno.test("synthetic-dataset says one sentence for bad options and exits with 1", async (t) => {
  const cases: [string, string, ...string[]][] = [
    [
      "an unknown flag",
      "There is no option --scene: did you mean --scenes? (--help lists them all.)",
      "--scene",
      "10",
    ],
    ["a number in words", '--scenes is "ten": give a whole number from 1 to 50000.', "--scenes", "ten"],
    ["no scenes", '--scenes is "0"', "--scenes", "0"],
    ["a negative seed", '--seed is "-1": give a whole number from 0', "--seed=-1"],
    ["a folder that can not be written", "/proc/alignedcut", "--out", "/proc/alignedcut"],
  ];
  for (const [what, sentence, ...args] of cases) {
    await t.step(what, () =>
      inTemporaryFolder(async (root) => {
        const own = args.includes("--out") ? [] : ["--out", `${root}/synthetic`];
        const { code, errors } = await run(...own, "--report", `${root}/report`, ...args);
        assertEquals([code, errors.length], [1, 1], errors.join("\n"));
        assertStringIncludes(errors[0], sentence);
        assertEquals([...Deno.readDirSync(root)], []);
      }));
  }
});

Deno.test("synthetic-dataset lists its options", async () => {
  const { code, text } = await run("--help");
  assertEquals(code, 0);
  for (const option of ["--out", "--scenes", "--seed", "--report"]) assertStringIncludes(text, option);
});
