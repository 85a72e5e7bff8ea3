import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { createSubject } from "../../fixtures/subject/mod.ts";
import { planDataset, writeDataset } from "../../src/synthetic/write_dataset.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"];

async function run(task: string, ...args: string[]): Promise<{ code: number; errors: string[] }> {
  const path = new URL(`../../tasks/${task}.ts`, import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, path, ...args],
  })
    .output();
  const errors = new TextDecoder().decode(stderr).split("\n").filter((line) =>
    line && !line.includes("XDG_RUNTIME_DIR")
  );
  return { code, errors };
}

Deno.test("align and brain-score run on a subject's folder and agree when run again", () =>
  inTemporaryFolder(async (root) => {
    await writeDataset(`${root}/synthetic`, planDataset(40, 1), createSubject(1));
    const own = ["--data", `algonauts:${root}/synthetic/algonauts/subj01`, "--cache", `${root}/cache`];
    const aligned = await run(
      "align",
      ...own,
      "--alignment",
      "paper",
      "--lambda",
      "0.1",
      "--out",
      `${root}/align.arrow`,
    );
    assertEquals(aligned.code, 0, aligned.errors.join("\n"));
    assertStringIncludes(aligned.errors.at(-1)!, "voxels, ");
    assert((await Deno.stat(`${root}/align.arrow`)).size > 1e6);

    const results = [];
    for (const out of ["first", "again"]) {
      const { code, errors } = await run("brain_score", ...own, "--seeds", "1", "--out", `${root}/${out}`);
      assertEquals(code, 0, errors.join("\n"));
      const { experiments } = JSON.parse(await Deno.readTextFile(`${root}/${out}/results.json`));
      const { metrics, claims } = experiments["brain-score"];
      results.push({ metrics, claims });
    }
    assertEquals(results[1], results[0]);
    for (
      const name of [
        "r.V1.lambda_1",
        "r.FFA.ridge",
        "r.PPA.no_align",
        "normalized.FFA",
        "r.all.lambda_0.1.sd",
      ]
    ) {
      assert(Number.isFinite(results[0].metrics[name]), name);
    }
    const [header, ...lines] = (await Deno.readTextFile(`${root}/first/tables/voxels.csv`)).trim().split(
      "\n",
    );
    assertEquals(
      header,
      "hemisphere,vertex,rois,noise_ceiling,r_lambda_0,r_lambda_0_1,r_lambda_1,r_ridge,r_no_align,r_ridge_align,r_ridge_align_trained_on",
    );
    const v1 = lines.map((line) => line.split(",")).filter(([, , rois]) => rois.split(";").includes("V1"));
    const mean = v1.reduce((sum, cells) => sum + Number(cells[7]), 0) / v1.length;
    assertAlmostEquals(mean, results[0].metrics["r.V1.ridge"], 1e-6);
    assert((await Deno.stat(`${root}/first/tables/voxels.arrow`)).size > 0);
    const page = await Deno.readTextFile(`${root}/first/brain-score.html`);
    assertStringIncludes(page, "mean over 1 seed)");
    assert(!page.includes("\u00a0±\u00a00<"), "one training has no standard error");
    assertStringIncludes(page, "eigen-constraint-raises-brain-score");
    assertStringIncludes(page, '<a class="home" href="index.html">');
    assertStringIncludes(await Deno.readTextFile(`${root}/first/index.html`), 'href="brain-score.html"');
  }));

Deno.test("align and brain-score say one sentence for bad options", async () => {
  for (
    const [task, sentence, ...args] of [
      [
        "align",
        "There is no option --lamda: did you mean --lambda? (--help lists them all.)",
        "--lamda",
        "1",
      ],
      ["align", '--lambda is "-1": give a number from 0 on.', "--lambda=-1"],
      ["align", "--lambda has no effect here: it belongs to --alignment paper.", "--lambda", "0.1"],
      ["brain_score", '--seeds is "0": give a whole number from 1 to 100.', "--seeds", "0"],
      ["brain_score", "--masks belongs to --images: give the photographs, too.", "--masks", "."],
      ["brain_score", "There is no folder /nowhere.", "--data", "algonauts:/nowhere"],
    ]
  ) {
    const { code, errors } = await run(task, ...args);
    assertEquals(code, 1);
    assertStringIncludes(errors.at(-1)!, sentence);
  }
});
