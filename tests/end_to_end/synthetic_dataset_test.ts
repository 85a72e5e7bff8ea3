import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { CATEGORIES, renderScene } from "../../fixtures/scenes/mod.ts";
import { openAlgonauts } from "../../src/data/datasets/algonauts.ts";
import { readImage } from "../../src/data/images/image.ts";
import { openImagenetSegmentation } from "../../src/data/datasets/imagenet_segmentation.ts";
import { readPalettePng } from "../../src/data/images/palette_png.ts";
import { openVoc, VOC_VOID } from "../../src/data/datasets/voc.ts";
import { writeSyntheticDataReport } from "../../src/experiments/synthetic_data/report.ts";
import { subjectVertices } from "../../src/synthetic/subject_cortex.ts";
import { datasetSteps, planDataset, writeDataset } from "../../src/synthetic/write_dataset.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { createToySubject } from "../support/toy_subject.ts";

const PLAN = planDataset(12), SUBJECT = createToySubject();

/** SHA-256 of every file of a folder, by its path inside. */
async function hashes(root: string, dir = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${dir}`)) {
    const path = `${dir}${name}`;
    if (isDirectory) Object.assign(found, await hashes(root, `${path}/`));
    else found[path] = createHash("sha256").update(await Deno.readFile(`${root}/${path}`)).digest("hex");
  }
  return Object.fromEntries(Object.entries(found).sort());
}

Deno.test("planDataset keeps all seeds for evaluation, and no scene in two ranges", () => {
  for (const scenes of [1, 12, 1000, 50_000]) {
    const { graph, further, training, test } = planDataset(scenes);
    const ranges = [graph, further, training, test].sort((a, b) => a.from - b.from);
    for (const [i, { from, count }] of ranges.entries()) {
      assert(count >= 1 && from + count <= (ranges[i + 1]?.from ?? 100_000), `${scenes} scenes`);
    }
  }
  const { graph, training, test } = planDataset(1000);
  assertEquals([training.count, test.count, graph.count], [1000, 200, 100]);
});

Deno.test("writeDataset gives byte-identical trees, also when it was stopped on the way", () =>
  inTemporaryFolder(async (dir) => {
    const steps: number[] = [];
    await writeDataset(`${dir}/a`, PLAN, SUBJECT, (done) => steps.push(done));
    assertEquals(steps, Array.from({ length: datasetSteps(PLAN) }, (_, i) => i + 1));
    const whole = await hashes(`${dir}/a`);
    assert(
      Object.keys(whole).length > 50 && !Object.keys(whole).some((path) => path.startsWith(".unfinished")),
    );
    for (const stop of [3, 20, datasetSteps(PLAN)]) {
      const stopped = writeDataset(`${dir}/${stop}`, PLAN, SUBJECT, (done) => {
        if (done === stop) throw new Error("stopped");
      });
      await assertRejects(() => stopped, Error, "stopped");
      await assertRejects(() => Deno.stat(`${dir}/${stop}/dataset.json`));
      await writeDataset(`${dir}/${stop}`, PLAN, SUBJECT);
      assertEquals(await hashes(`${dir}/${stop}`), whole, `stopped at ${stop}`);
    }
    const again: number[] = [];
    await writeDataset(`${dir}/a`, PLAN, SUBJECT, (done) => again.push(done));
    assertEquals(again, []); // finished already
    const note = `${dir}/a/dataset.json`, former = await Deno.readTextFile(note);
    await Deno.writeTextFile(note, former.replace("subjectSeed", "observerSeed")); // as the version before wrote it
    await writeDataset(`${dir}/a`, PLAN, SUBJECT, (done) => again.push(done));
    assertEquals([again, await hashes(`${dir}/a`)], [[], whole]);
    await assertRejects(
      () => writeDataset(`${dir}/a`, planDataset(13), SUBJECT),
      Error,
      "holds a synthetic dataset of other scenes",
    );
  }));

Deno.test("writeDataset is read by the loaders of the real data sets", () =>
  inTemporaryFolder(async (dir) => {
    await writeDataset(dir, PLAN, SUBJECT);
    const order = [0, 1].flatMap((side) =>
      Array.from({ length: SUBJECT.voxels.count }, (_, i) => i).filter((i) =>
        SUBJECT.voxels.hemisphere[i] === side
      )
    );
    for (const split of ["training", "test"] as const) {
      const subject = await openAlgonauts(`${dir}/algonauts/subj01`, split);
      assertEquals(subject.images.length, PLAN[split].count);
      const last = PLAN[split].count - 1, scene = renderScene(PLAN[split].from + last);
      assertEquals((await readImage(subject.images[last])).data, scene.rgb);
      const { data } = await subject.readResponses(last, 1);
      const repeats = [0, 1, 2].map((repeat) => SUBJECT.measure(scene, repeat));
      order.forEach((voxel, column) =>
        assertAlmostEquals(data[column], repeats.reduce((sum, values) => sum + values[voxel], 0) / 3, 1e-6)
      );
      assertAlmostEquals(subject.noiseCeiling![0], 0.75, 1e-6); // 3 · ½ / (3 · ½ + ½)
      for (const roi of SUBJECT.rois) {
        const voxels = subject.rois.get(roi)!;
        assertEquals(
          [...voxels].map((column) => SUBJECT.rois[SUBJECT.voxels.roi[order[column]]]),
          Array(4).fill(roi),
        );
      }
      const vertices = subjectVertices(SUBJECT);
      assertEquals([...subject.surfaceVertices!], order.map((voxel) => vertices[voxel]));
      assertEquals(subject.places, undefined);
    }

    const voc = await openVoc(`${dir}/voc`);
    assertEquals([voc.names.length, voc.classes], [
      PLAN.graph.count + PLAN.further.count,
      ["_background_", ...CATEGORIES],
    ]);
    const segmented = await openImagenetSegmentation(`${dir}/imagenet_segmentation/gtsegs_ijcv.mat`);
    assertEquals(segmented.count, PLAN.graph.count);
    for (let i = 0; i < PLAN.graph.count; i++) {
      const scene = renderScene(PLAN.graph.from + i);
      const { mask, image } = await voc.read(i);
      assert(mask.data.includes(VOC_VOID));
      assertEquals(mask.data.map((value) => value === VOC_VOID ? 0 : value), scene.categoryMask);
      const error = image.data.reduce((sum, value, k) => sum + Math.abs(value - scene.rgb[k]), 0) /
        image.data.length;
      assert(error < 4, `the JPEG of scene ${scene.seed} differs by ${error} on average`);
      const { image: exact, mask: figure, id } = segmented.read(i);
      assertEquals([id, exact.data, figure.data], [voc.names[i], scene.rgb, scene.figure]);
    }
    segmented.close();

    const [line] = (await Deno.readTextFile(`${dir}/truth/graph.jsonl`)).split("\n");
    const scene = renderScene(PLAN.graph.from);
    assertEquals(JSON.parse(line).caption, scene.caption);
    assertEquals((await readPalettePng(`${dir}/truth/graph/parts/${voc.names[0]}.png`)).data, scene.parts);
  }));

Deno.test("writeSyntheticDataReport writes the page and its numbers", () =>
  inTemporaryFolder(async (dir) => {
    const dataset = await writeDataset(`${dir}/synthetic`, planDataset(100), SUBJECT);
    const report = {
      out: dir,
      dataset: `${dir}/synthetic`,
      plan: dataset,
      simulated: () => SUBJECT,
      command: "c",
      seconds: 1,
    };
    const page = await Deno.readTextFile(await writeSyntheticDataReport(report));
    for (const part of [renderScene(0).caption, "Cortex", "Noise ceilings", "VWFA"]) {
      assertStringIncludes(page, part.replaceAll('"', "&quot;"));
    }
    const { metrics } = JSON.parse(await Deno.readTextFile(`${dir}/results.json`)).experiments.fixtures;
    assertEquals([metrics["scenes.training"], metrics.voxels, metrics["voxels.V1"]], [100, 48, 4]);
    assertAlmostEquals(metrics["ceiling.stated.FFA"], 0.75, 1e-6);
    assert(metrics["ceiling.measured.FFA"] > 0.5 && metrics["ceiling.measured.FFA"] <= 1);
    const sum = CATEGORIES.reduce((total, category) => total + Math.abs(metrics[`tuning.V1.${category}`]), 0);
    assert(sum > 0 && sum < 20);
  }));
