/** What tasks are allowed: every one runs by its own command of `deno.json`, and may do no more than it says. */
import config from "../../deno.json" with { type: "json" };
import { mapConcurrently } from "../../src/data/files/map_concurrently.ts";
import type { FaultFamily } from "./family.ts";
import { runFolder, smallRun } from "./small_run.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const PROBE = new URL("./rights_probe.ts", import.meta.url).pathname;
/** Tasks that may start any program, those that may start Slurm's only, and those that may reach the network. */
const SLURM = ["sbatch", "squeue", "scancel", "scontrol", "sinfo", "sacctmgr"],
  MAY_SUBMIT = ["reproduce", "status"],
  UNPACKERS = ["python3", "npm", "tar"],
  MAY_UNPACK = ["models", "showcase", "pack", "live"],
  MAY_RUN = ["test", "test-browser", "bench", "bench:graph", "fault-injection", "mutate", "script", "survey"],
  MAY_REACH = ["models", "test-browser", "serve"]; // the last two this machine only
/** Tasks that write nowhere, and those that write in one folder of the repository. */
const WRITE_NOTHING = ["status", "test", "licenses", "bench:graph", "script", "serve"],
  WRITE_ONE = ["new", "false-alarms"];
/** Tasks on the pipeline, which take the options of the small run. */
const EXPERIMENTS = [
  "reproduce",
  "colors",
  "segmentation",
  "figure-ground",
  "concepts",
  "trajectories",
  "transitions",
  "galleries",
  "nystrom",
  "rosetta",
  "explorer",
];
/** Processes at a time. */
const LANES = 2;
const NAME = "permissions_of_new";

/** What the tasks are run with, in the long form; the short form asks for their help. */
function argumentsOf(name: string, folder: string): string[] {
  const places = ["--out", `${folder}/out-${name}`, "--cache", `${folder}/cache`];
  if (EXPERIMENTS.includes(name)) {
    const images = name === "rosetta" ? "4" : "2"; // half of them are matched on
    return ["--quick", "--limit", images, "--landmarks", "100", ...places];
  }
  const own: Record<string, string[]> = {
    "synthetic-dataset": [
      "--scenes",
      "4",
      "--out",
      `${folder}/synthetic`,
      "--report",
      `${folder}/out-fixtures`,
    ],
    align: [
      "--data",
      `algonauts:${folder}/cache/synthetic-120/algonauts/subj01`,
      "--out",
      `${folder}/out-align/align.arrow`,
      "--cache",
      `${folder}/cache`,
    ],
    new: [NAME],
    models: ["list", "--out", `${folder}/models`],
    licenses: [],
    pack: ["--out", `${folder}/out-pack`],
    test: ["tests/data/formats/csv_test.ts"],
    "bench:graph": ["--graph", "2000"],
    bench: ["--only", "tsne", "--rounds", "1", "--json", "-"],
  };
  return own[name] ?? ["--help"];
}

export const permissions: FaultFamily = {
  name: "permissions",
  title: "every task by its own command, with no more rights than that has, and a run held to its folders",
  async run({ quick, report }) {
    const failures: string[] = [];
    let tried = 0;
    const check = (isRight: boolean, what: string) => {
      tried++;
      if (!isRight) failures.push(what);
    };
    const tasks = Object.entries(config.tasks).filter(([, { command }]) => command.startsWith("deno run "));
    const rights = new Map<string, Record<string, string>>();
    const sets = [...new Set(tasks.map(([, { command }]) => flagsOf(command).join(" ")))];
    await mapConcurrently(sets.length, LANES, async (i) => {
      const { code, said, printed } = await deno([...sets[i].split(" "), PROBE]);
      if (code !== 0) failures.push(`${sets[i]}: ${said}`);
      else rights.set(sets[i], JSON.parse(printed));
    });
    for (const [name, { command }] of tasks) {
      const flags = flagsOf(command), may = rights.get(flags.join(" "))!;
      const [, programs] = /--allow-run=?(\S*)/.exec(command) ?? [];
      const isSlurm = MAY_SUBMIT.includes(name) && programs?.split(",").every((own) => SLURM.includes(own));
      const isUnpacking = MAY_UNPACK.includes(name) &&
        programs?.split(",").every((own) => UNPACKERS.includes(own));
      check(!/ -A\b|--allow-all/.test(command), `${name} asks for all rights`);
      check(
        programs === undefined || isSlurm || isUnpacking || MAY_RUN.includes(name),
        `${name} may start programs`,
      );
      check((may.run === "granted") === MAY_RUN.includes(name), `${name}: starting programs is ${may.run}`);
      const isDenied = may.net === "denied" && may.reach === "denied";
      check(isDenied !== MAY_REACH.includes(name), `${name}: the network is ${may.net}, and ${may.reach}`);
      const mayWrite = ![...WRITE_NOTHING, ...WRITE_ONE].includes(name);
      check((may.write === "granted") === mayWrite, `${name}: writing is ${may.write}`);
      check(may.ffi !== "granted", `${name} may load any library`);
    }
    report(`${tried} rights`);

    const folder = await runFolder(await Deno.makeTempDir({ prefix: "alignedcut-rights-" }));
    try {
      // One after the other where they share stages; their help, side by side.
      const alone = tasks.map(([name, { command }]) => async () => {
        const args = quick ? ["--help"] : argumentsOf(name, folder);
        const { code, said } = await deno([...command.split(" ").slice(2), ...args]);
        check(code === 0, `./run ${name} ${args.join(" ")}: exit code ${code}, ${said}`);
        report(`./run ${name}`);
      });
      // The tests' own options are those of deno test: quick has no cheap one.
      const chosen = alone.filter((_, at) => !quick || tasks[at][0] !== "test");
      await mapConcurrently(chosen.length, quick ? LANES : 1, (i) => chosen[i]());

      const within = [
        "--allow-read",
        "--allow-env",
        "--allow-ffi=node_modules",
        "--deny-net",
        "--deny-run",
        flagsOf(config.tasks.colors.command).find((flag) => flag.startsWith("--allow-sys"))!,
      ].map((flag) => flag.replace("=node_modules", `=${ROOT}node_modules`));
      const own = await runFolder(`${folder}/own`);
      const { code, said } = await smallRun({
        folder: own,
        permissions: [...within, `--allow-write=${own}/out,${own}/cache`],
      });
      check(code === 0, `with writing allowed under out and cache only: ${said}`);
      const left = (await Array.fromAsync(Deno.readDir(own))).map(({ name }) => name).sort();
      check(left.join() === "cache,out", `beside out and cache it wrote ${left}`);
      const denied = await smallRun({
        folder: own,
        permissions: [...within, `--allow-write=${own}/cache`],
        args: ["--out", "elsewhere"],
      });
      check(
        denied.code === 1 && /elsewhere/.test(denied.said),
        `a folder that is denied: exit code ${denied.code}, ${denied.said}`,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
      await Deno.remove(`${ROOT}scripts/${NAME}.ts`).catch(() => {}); // not made
    }
    return { tried, failures };
  },
};

/** The rights of a command: all between `deno run` and the program. */
function flagsOf(command: string): string[] {
  return command.split(" ").slice(2, -1);
}

/** Runs `deno run` in the repository, where nobody can answer a question. */
async function deno(args: string[]): Promise<{ code: number; said: string; printed: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const lines = new TextDecoder().decode(stderr).trim().split("\n");
  return { code, said: lines.at(-1)!, printed: new TextDecoder().decode(stdout) };
}
