import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  copyDataset,
  finished,
  killTasks,
  letGo,
  logOf,
  logs,
  markDown,
  queued,
  restartController,
  run,
  slurmLog,
  task,
  until,
  withSlurm,
} from "./cluster.ts";
import { isInstalled } from "./is_installed.ts";
import { RESULTS, resultsOf, stageFiles } from "./results.ts";

/**
 * The pipeline on few images, explorer and audits included, as `reproduce` runs them; shards of two ranges are joined, one of
 * them a single image.
 */
const SMALL = [
  "--quick",
  "--limit",
  "9",
  "--images-per-shard",
  "8",
  "--sampling",
  "farthest",
  "--seed",
  "3",
];

const ANY = /./;

Deno.test({
  name: "reproduce --slurm on three nodes gives one machine's results through kills, lost nodes and restarts",
  ignore: !isInstalled(),
  async fn(t) {
    await withSlurm(async (cluster) => {
      const { dir, env } = cluster;
      const one = `${dir}/one`, two = `${dir}/two`, folder = `${dir}/a run`;
      const submit = (...more: string[]) =>
        task("reproduce", [
          "--slurm",
          "--array-size",
          "6",
          "--run",
          folder,
          ...more,
          ...SMALL,
          "--cache",
          two,
          "--out",
          `${dir}/two-out`,
        ], env);
      for (const cache of [one, two]) await copyDataset(cache);
      await t.step("--dry-run prints the scripts", async () => {
        const printed = await submit(
          "--dry-run",
          "--partition",
          "test",
          "--gres",
          "gpu:1",
          "--time",
          "2:00:00",
          "--account",
          "lab",
        );
        assertStringIncludes(printed, "--array=0 --dependency=afterok:$extract:$align:$landmarks");
        assertStringIncludes(printed, "extract=$(sbatch --parsable --array=0-5 extract.sh)");
        for (const option of ["partition=test", "gres=gpu:1", "time=2:00:00", "account=lab"]) {
          assertStringIncludes(printed, `#SBATCH --${option}\n`);
        }
        assertEquals((await queued(cluster)).length, 0);
      });

      await t.step(
        "what the cluster would refuse is told before anything is queued, a refusal takes all back",
        async () => {
          const refused = async (...more: string[]) =>
            (await assertRejects(() => submit(...more), Error)).message;
          assertStringIncludes(
            await refused("--array-size", "2000"),
            "this cluster takes 1001 an array (MaxArraySize)",
          );
          assertStringIncludes(
            await refused("--partition", "gpu"),
            "There is no partition gpu: --partition takes test.",
          );
          const site = `${dir}/bad.json`;
          await Deno.writeTextFile(site, JSON.stringify({ options: { landmarks: ["--nodelist=nowhere"] } }));
          assertStringIncludes(
            await refused("--slurm-config", site),
            "extract, align were taken back, nothing of it is in the queue.",
          );
          await until("nothing is queued", 10, async () => (await queued(cluster)).length === 0);
        },
      );

      await t.step("a lost node, a killed task and a restarted controller", async () => {
        const alone = task("reproduce", [...SMALL, "--cache", one, "--out", `${dir}/one-out`]);
        alone.catch(() => {}); // reported when it is awaited
        await submit();
        const first = await until("a task of extract runs", 30, async () => {
          return (await queued(cluster)).find((line) => /extract RUNNING/.test(line)) ?? null;
        });
        // All that runs on this node ends with it, as when a machine fails; Slurm is told, as it would find out in time.
        const node = first.split(" ").at(-1)!, lost = `extract/${first.split(" ")[0].split("_")[1]}`;
        assert(await killTasks(cluster, node, "lost"));
        await markDown(cluster, node);

        // As it begins: at its end, the kill would come too late to be told.
        await until("a task of alignment works", 60, () => killTasks(cluster, "any", "align"));
        await until("align's script tells of it", 20, async () => {
          return (await logOf(folder, "align/0").catch(() => "")).includes("ended with 137, attempt 2");
        });

        await restartController(cluster);

        // A task is taken out of the queue while one of its array still waits: what comes after waits for nothing any more,
        // and is submitted again with it. What was done stays done.
        const waiting = await until("fit runs", 120, async () => {
          await letGo(cluster);
          const lines = await queued(cluster);
          return lines.some((line) => /fit RUNNING/.test(line)) && lines;
        });
        const [propagate] = waiting.find((line) => / alignedcut-propagate /.test(line))!.split("_");
        await run("scontrol", ["hold", `${propagate}_5`], env);
        await run("scancel", [`${propagate}_2`], env);
        const again = await submit("--resume");
        assert(
          /submitted propagate \(job \d+, 1 task\), map \(.*, 1 task\), colors \(.*, 6 tasks\), evaluate \(.*, 6 tasks\), reports/
            .test(again),
          again,
        );
        await run("scontrol", ["release", `${propagate}_5`], env);
        await finished(cluster, 900);
        await alone;

        const told = await task("status", ["--run", folder], env);
        assert(/reports +1 +1 /.test(told), `${told}\n${await logs(folder)}\n${await slurmLog(cluster)}`);
        assertStringIncludes(await logOf(folder, "align/0"), "ended with 137, attempt 2");
        assertStringIncludes(await logOf(folder, lost), "started again on n");
        const { node: another } = JSON.parse(await Deno.readTextFile(`${folder}/tasks/${lost}.done.json`));
        assert(another !== node, `${lost} ran on ${another}, which was lost`);
        assertEquals(await stageFiles(two, RESULTS), await stageFiles(one, RESULTS));
        assertEquals(await resultsOf(`${dir}/two-out`), await resultsOf(`${dir}/one-out`));
        assertStringIncludes(await Deno.readTextFile(`${dir}/two-out/slurm.html`), "propagate");
      });

      await t.step("--resume of a finished run submits nothing", async () => {
        assertStringIncludes(await submit("--resume"), "nothing is missing");
      });

      await t.step("--resume after files were lost makes these again, byte for byte", async () => {
        const before = await stageFiles(two, ANY), paths = Object.keys(before);
        const lost = [
          /features-.*\/parts\/images-.*\.json$/,
          /parts\/candidates\/.*\.json$/,
          /parts\/affinities\/.*\.json$/,
          /parts\/products\/.*\.npy$/,
          /parts\/eigenvectors\/.*\.json$/,
          /colors\/model=.*\.arrow$/,
        ].map((name) => paths.find((path) => name.test(path))!);
        for (const path of lost) await Deno.remove(two + path);
        const submitted = await submit("--resume");
        assert(
          ["extract", "landmarks", "affinities", "products", "propagate", "colors"].every((step) =>
            new RegExp(`[ ,]${step} \\(job \\d+, 1 task\\)`).test(submitted)
          ),
          submitted,
        );
        await finished(cluster, 300);
        assertEquals(await stageFiles(two, ANY), before);
      });
    });
  },
});

Deno.test({
  name: "reproduce --slurm names a damaged image, and only its shard fails",
  ignore: !isInstalled(),
  async fn() {
    await withSlurm(async (cluster) => {
      const { dir, env } = cluster, images = `${dir}/images`, folder = `${dir}/run`;
      await Deno.mkdir(images);
      await copyDataset(`${dir}/cache`);
      const { default: sharp } = await import("sharp");
      for (let i = 0; i < 16; i++) {
        const background = { r: 15 * i, g: 240 - 15 * i, b: 100 };
        await sharp({ create: { width: 64, height: 64, channels: 3, background } }).png()
          .toFile(`${images}/image${String(i).padStart(2, "0")}.png`);
      }
      const bad = `${images}/image12.png`, whole = await Deno.readFile(bad);
      await Deno.writeFile(bad, whole.subarray(0, whole.length >> 1));
      const site = `${dir}/site.json`;
      await Deno.writeTextFile(site, JSON.stringify({ attempts: 2 }));
      const options = [
        "--slurm",
        "--slurm-config",
        site,
        "--run",
        folder,
        "--images",
        images,
        "--images-per-shard",
        "8",
        "--quick",
        "--cache",
        `${dir}/cache`,
        "--out",
        `${dir}/out`,
        "--limit",
        "16",
      ];
      await task("reproduce", options, env);
      await until("extract has ended", 90, async () => {
        const lines = await queued(cluster);
        return lines.every((line) => !/extract/.test(line));
      });
      const told = await task("status", ["--run", folder], env);
      const failed = told.split("\n").filter((line) => line.startsWith("failed: extract"));
      assertEquals(failed.length, 3, told); // one shard a model
      for (const line of failed) assertStringIncludes(line, "image12.png");
      assert(/extract +6 +3 +0 +0 +3/.test(told), told);
      assertStringIncludes(await logs(folder), "attempt 2 of 2");
    });
  },
});
