/** What `status`, `--resume` and the page of a run on Slurm do with many tasks and files. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import sharp from "sharp";
import { shardName } from "../../src/data/features/feature_shards.ts";
import { type FileLook, lookAtNames, lookAtSizes } from "../../src/data/files/file_look.ts";
import type { DataImage } from "../../src/data/datasets/data_parts.ts";
import { openData } from "../../src/data/datasets/open_data.ts";
import { namesSha256 } from "../../src/data/features/extract_parts.ts";
import { readPreprocessor } from "../../src/data/images/preprocessor.ts";
import { viewed } from "../../src/pipeline/images.ts";
import { featureStages } from "../../src/pipeline/pipeline.ts";
import { plannedData, writeImageList } from "../../tasks/slurm/image_list.ts";
import { extractUnits, readPlan, writePlan } from "../../tasks/slurm/plan.ts";
import { runState } from "../../tasks/slurm/run_state.ts";
import { STEPS } from "../../tasks/slurm/steps.ts";
import { writeNote } from "../../tasks/slurm/task_note.ts";
import { writeUsagePage } from "../../tasks/slurm/usage_page.ts";
import { writeFakeRun } from "../slurm/fake_run.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { noteOf, withPlan } from "../support/slurm_plans.ts";

Deno.test("runState() finds by names what it finds by sizes, and a file that is cut by sizes alone", () =>
  inTemporaryFolder(async (dir) => {
    const { plan } = await writeFakeRun(dir, 300, 7);
    const missing = async (look: FileLook) => {
      const states = await runState(plan, new Map(), look);
      return STEPS.flatMap((step) =>
        states[step].flatMap(({ index, state }) => state === "done" ? [] : [`${step} ${index} ${state}`])
      ).join(", ");
    };
    const both = async () => [await missing(lookAtNames()), await missing(lookAtSizes())];
    const last = "reports 0 missing",
      some = ["extract 6 missing", "propagate 6 missing", "colors 6 missing", last];
    assertEquals(await both(), [some.join(", "), some.join(", ")]);
    const [{ model, range }] = extractUnits(plan, 2),
      shard = `${plan.features[model]}/a.L07/${shardName(range)}`;
    await Deno.writeTextFile(shard, "");
    const [names, sizes] = await both();
    assertEquals(names, some.join(", "));
    assertStringIncludes(sizes, "extract 2 missing, extract 6 missing");
    await Deno.remove(shard);
    await Deno.remove(`${dir}/colors/colors/model=b/layer=3/${shardName(plan.ranges[4])}`);
    const lost = await both();
    assertEquals(lost[0], lost[1]);
    assertEquals(lost[0].match(/missing/g)?.length, 6, lost[0]);
  }));

const MODEL = new URL("../../fixtures/models/mae_tiny.onnx", import.meta.url).pathname;

/** A folder of eight photographs, each of one color. */
async function writePhotographs(dir: string): Promise<void> {
  await Deno.mkdir(dir);
  for (let i = 0; i < 8; i++) {
    const background = { r: 30 * i, g: 240 - 30 * i, b: 100 };
    await sharp({ create: { width: 16, height: 16, channels: 3, background } }).png().toFile(
      `${dir}/${i}.png`,
    );
  }
}

Deno.test("a task opens and hashes the photographs that it reads alone, as listed once for all, with the same keys", () =>
  withPlan(async (plan) => {
    const dir = `${plan.folder}/photographs`, folders = { images: dir };
    await writePhotographs(dir);
    const whole = await openData(folders), { keys, table, listed, images: all } = whole;
    plan.ranges = [{ first: 0, count: 4 }, { first: 4, count: 4 }];
    plan.images = { count: 8, namesSha256: namesSha256(all), keys, table };
    await writePlan(plan);
    await writeImageList(plan, listed);
    const numbers = [0, 4, 5, 7],
      planned = (await plannedData(await readPlan(`${plan.folder}/plan.json`), numbers))!;
    // What is not looked at may be away or be another file.
    await Deno.remove(`${dir}/2.png`);
    await Deno.copyFile(`${dir}/1.png`, `${dir}/3.png`);
    await Deno.copyFile(`${dir}/1.png`, `${dir}/7.png`);
    const opened = await openData(folders, undefined, {}, planned);
    assertEquals([opened.images.length, Object.keys(opened.images)], [8, numbers.map(String)]);
    for (const i of [0, 4, 5]) {
      assertEquals(opened.images[i].name, all[i].name);
      assertEquals(await opened.images[i].load(), await all[i].load());
    }
    await assertRejects(
      () => opened.images[7].load(),
      Error,
      `${dir}/7.png has changed since the run was submitted: submit it again, without --resume.`,
    );
    assertEquals(opened.keys, keys);
    const models = [{
      path: MODEL,
      preprocessor: await readPreprocessor(MODEL.replace(".onnx", ".preprocessor.json")),
    }];
    const keyOf = async (images: DataImage[], imagesSha256?: string) =>
      (await featureStages({ models, images, imagesSha256, imagesKey: keys.images }))[0].input;
    assertEquals(await keyOf(opened.images, planned.namesSha256), await keyOf(all));
    planned.keys = { ...keys, subjectLabels: "other" };
    await assertRejects(
      () => openData(folders, undefined, {}, planned),
      Error,
      "The subject or the names of classes",
    );
    for (const { close } of [whole, opened]) close();
  }));

Deno.test("what a task holds of the list of photographs does not grow with it, at three sizes", () =>
  withPlan(async (plan) => {
    const dir = `${plan.folder}/photographs`, held: number[] = [];
    await writePhotographs(dir);
    const { keys, table, listed, close } = await openData({ images: dir });
    close();
    for (const count of [10_000, 100_000, 1_000_000]) {
      const at = count / 2;
      plan.ranges = [{ first: 0, count: 4 }, { first: 4, count: at - 4 }, { first: at, count: 4 }];
      plan.images = { count, namesSha256: "", keys, table };
      const own = [...listed.slice(0, 4)];
      own[at + 3] = listed[7];
      for (let i = 4; i < 7; i++) own[at + i - 4] = listed[i];
      plan.ranges.splice(1, 1); // that of others is not read
      await writeImageList(plan, own);
      const before = Deno.memoryUsage().heapUsed;
      const planned = await plannedData(plan, [0, at, at + 1, at + 2, at + 3]);
      const { images, close } = await openData({ images: dir }, undefined, {}, planned);
      const seen = viewed(images, await readPreprocessor(MODEL.replace(".onnx", ".preprocessor.json")), null);
      held.push(Deno.memoryUsage().heapUsed - before);
      assertEquals([seen.length, Object.keys(seen).length], [count, 5]);
      close();
    }
    assert(Math.max(...held) < 4e6, `${held} bytes`);
  }));

Deno.test("the page of a run's usage sums by stage, node and model, and names failures, in few rows however many tasks", async () => {
  await withPlan(async (plan) => {
    plan.tasks.extract = 600;
    plan.ranges = Array.from({ length: 1200 }, (_, at) => ({ first: 8 * at, count: 8 }));
    for (let index = 0; index < 600; index++) {
      const shards = extractUnits(plan, index).map((unit) => ({
        ...unit,
        seconds: 2,
        peakMb: 321,
        gpuMb: 0,
      }));
      const own = index < 250
        ? noteOf({ step: "extract", index, state: "failed", error: `No <b>${index}</b>.` })
        : noteOf({ step: "extract", index, state: "done", node: `n${index % 300}`, seconds: index, shards });
      await writeNote(plan, own);
    }
    const page = await Deno.readTextFile(await writeUsagePage(plan, plan.folder));
    const rows = page.match(/<th scope="row"[^>]*>/g)!.length;
    assertEquals(rows, 1 + 100 + 20 + 1 + 100);
    assertStringIncludes(page, "Tasks that have failed and are not done: the first 100 of 250");
    assertStringIncludes(page, "No &lt;b&gt;7&lt;/b&gt;.");
    assertStringIncludes(page, "The same by node: the first 100 of 300");
    assert(/<th scope="row"[^>]*>vit<\/th>\s*<td[^>]*>700</.test(page), "shards of the model");
    assert(/<th scope="row"[^>]*>extract 599</.test(page), "the longest task");
  });
});
