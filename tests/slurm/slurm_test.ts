import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { datasetFolder, syntheticDataset } from "../../src/synthetic/dataset.ts";
import { copyFolder } from "../support/copy_folder.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { isInstalled } from "./is_installed.ts";
import { RESULTS, resultsOf, stageFiles } from "./results.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const HERE = new URL(".", import.meta.url).pathname;
const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-ffi",
  "--allow-sys",
  "--allow-run=sbatch,squeue,scancel,scontrol,sinfo,sacctmgr",
];
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

interface Cluster {
  dir: string;
  env: Record<string, string>;
  /** Since when jobs are held, ms, by number. */
  heldSince: Map<string, number>;
}

async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env, cwd: ROOT }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${text(stderr)}`);
  return text(stdout) + text(stderr);
}

const task = (name: string, args: string[], env = {}) =>
  run(Deno.execPath(), ["run", ...PERMISSIONS, `${ROOT}/tasks/${name}.ts`, ...args], env);

async function withSlurm(body: (cluster: Cluster) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (dir) => {
    // Daemons keep what they inherit open: output is left alone.
    const start = new Deno.Command(`${HERE}/start.sh`, { args: [dir], stdout: "null", stderr: "null" });
    assertEquals((await start.output()).code, 0, "start.sh");
    try {
      await body({ dir, env: { SLURM_CONF: `${dir}/slurm.conf` }, heldSince: new Map() });
    } finally {
      await run(`${HERE}/stop.sh`, [dir]);
      await sleep(1000);
    }
  });
}

/** Puts the world of `--quick` into a cache, which takes less than to render it. */
async function copyWorld(cache: string): Promise<void> {
  await syntheticDataset(120);
  await copyFolder(datasetFolder(120), datasetFolder(120, cache));
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `is` holds. */
async function until<T>(what: string, seconds: number, is: () => Promise<T | null | false>): Promise<T> {
  for (let waited = 0; waited < 4 * seconds; waited++) {
    const found = await is();
    if (found) return found;
    await sleep(250);
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

async function queued({ env }: Cluster): Promise<string[]> {
  const lines = await run("squeue", ["--noheader", "--array", "--format=%F_%K %j %T %r %N"], env).catch(() =>
    "?"
  );
  return lines.trim().split("\n").filter(Boolean);
}

/**
 * Waits for the queue to be empty. Slurm holds jobs that it has taken back for two minutes; they are let go after 20 s, when
 * its nodes have forgotten the earlier start (sooner, they refuse the job: "credential revoked").
 */
async function finished(cluster: Cluster, seconds: number): Promise<void> {
  await until("the queue is empty", seconds, async () => (await letGo(cluster)).length === 0);
}

/** Lets go what has been held for 20 s. @returns the queue */
async function letGo(cluster: Cluster): Promise<string[]> {
  const lines = await queued(cluster), { heldSince } = cluster;
  for (const line of lines) {
    const [id, , state, reason] = line.split(" ");
    if (state !== "PENDING" || reason !== "BeginTime") continue;
    if (!heldSince.has(id)) heldSince.set(id, Date.now());
    if (Date.now() - heldSince.get(id)! < 20_000) continue;
    await run("scontrol", ["update", `jobid=${id}`, "starttime=now"], cluster.env).catch(() => {});
  }
  return lines;
}

const ANY = /./;

/** The log of one task. */
const logOf = (runFolder: string, task: string) => Deno.readTextFile(`${runFolder}/logs/${task}.log`);

const logs = async (runFolder: string) => {
  const texts: string[] = [];
  for await (const { name: step } of Deno.readDir(`${runFolder}/logs`)) {
    for await (const { name } of Deno.readDir(`${runFolder}/logs/${step}`)) {
      texts.push(await Deno.readTextFile(`${runFolder}/logs/${step}/${name}`));
    }
  }
  return texts.join("\n");
};

const slurmLog = ({ dir }: Cluster) => Deno.readTextFile(`${dir}/slurmctld.log`);

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
      for (const cache of [one, two]) await copyWorld(cache);
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
        await run("scontrol", ["update", `nodename=${node}`, "state=down", "reason=test"], env);

        // As it begins: at its end, the kill would come too late to be told.
        await until("a task of alignment works", 60, () => killTasks(cluster, "any", "align"));
        await until("align's script tells of it", 20, async () => {
          return (await logOf(folder, "align/0").catch(() => "")).includes("ended with 137, attempt 2");
        });

        // It saves its state as it ends, as with `systemctl restart`.
        const controller = (await Deno.readTextFile(`${dir}/slurmctld.pid`)).trim();
        Deno.kill(Number(controller), "SIGTERM");
        await until(
          "the controller has ended",
          20,
          () => Deno.stat(`${dir}/slurmctld.pid`).then(() => false, () => true),
        );
        const restarted = new Deno.Command("/usr/sbin/slurmctld", { env, stdout: "null", stderr: "null" });
        assertEquals((await restarted.output()).code, 0, "slurmctld");

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

/** Kills a stage's program on a node or "any", or all that Slurm runs on one; false while that is nothing. */
async function killTasks({ dir }: Cluster, node: string, what: "lost" | "align"): Promise<boolean> {
  // What it says of processes that have just ended is on its other output.
  const { success, stdout } = await new Deno.Command(`${HERE}/kill_tasks.sh`, { args: [dir, node, what] })
    .output();
  assert(success, "kill_tasks.sh");
  return stdout.length > 0;
}

Deno.test({
  name: "reproduce --slurm names a damaged image, and only its shard fails",
  ignore: !isInstalled(),
  async fn() {
    await withSlurm(async (cluster) => {
      const { dir, env } = cluster, images = `${dir}/images`, folder = `${dir}/run`;
      await Deno.mkdir(images);
      await copyWorld(`${dir}/cache`);
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
