/** Command lines that are wrong: every task says at once, in one sentence, which option it is, and makes nothing. */
import config from "../../deno.json" with { type: "json" };
import { mapConcurrently } from "../../src/data/files/map_concurrently.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { reproduce } from "../../tasks/reproduce.ts";
import type { FaultFamily } from "./family.ts";
import { unclear } from "./family.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** Processes at a time, and how many there are in the short form. */
const LANES = 2, QUICK = 3;
/** Seconds after which an answer is not at once; a process of Deno's takes most of one to begin. */
const AT_ONCE = 20;

/** Tasks that have no short form, and those without a folder for the report or the cache. */
const WITHOUT_QUICK = ["align", "brain-score", "real-brains", "synthetic-dataset", "status", "bench:graph"];
const WITHOUT_PLACES = ["fault-injection", "bench:graph", "synthetic-dataset", "real-brains", "status"];

/** Values that no option of that name takes; FILE is a file, as a folder's name. */
const WRONG: Record<string, string[]> = {
  limit: ["-3", "0", "ten", "2.5", "1e9"],
  landmarks: ["5", "many"],
  neighbors: ["0", "129", "some"],
  sampling: ["best"],
  "neighbor-search": ["fast"],
  "evaluation-images": ["0", "many"],
  "images-per-shard": ["9", "0"],
  seed: ["-1", "x", "1.5"],
  adapter: ["gpu"],
  figures: ["gif", "svg,gif"],
  out: ["FILE"],
  cache: ["FILE"],
  data: [
    "vocs:x",
    "voc",
    "voc:/nonexistent",
    "algonauts:/nonexistent",
    "nsd:/nonexistent",
    "imagenet-seg:/nonexistent",
  ],
  images: ["/nonexistent", "FILE"],
  hook: ["keys"],
  stride: ["0", "half"],
  extract: ["cuda"],
  model: ["nothere", "nothere.onnx", "photo.jpg", "/nonexistent/a.onnx"],
};
const EXPERIMENT = { ...WRONG, zzz: ["1"] };
/** Wrong values of the tasks that have options of their own; what they share with others stands above. */
const TASKS: Record<string, Record<string, string[]>> = {
  reproduce: {
    ...EXPERIMENT,
    masks: ["/nonexistent"],
    registers: ["-1"],
    partition: ["a b"],
    time: ["soon"],
    "array-size": ["0"],
    "slurm-config": ["/nonexistent.json"],
    imags: ["x"],
  },
  colors: { ...EXPERIMENT, tables: ["xls"] },
  transitions: { ...EXPERIMENT, of: ["nobody"], layer: ["0"], circles: ["1"], radius: ["-1", "0"] },
  segmentation: { limit: ["-3"], adapter: ["gpu"], model: ["photo.jpg"] },
  "figure-ground": { seed: ["x"], images: ["/nonexistent"] },
  concepts: { data: ["voc:/nonexistent"], figures: ["gif"] },
  trajectories: { "neighbor-search": ["fast"], zzz: ["1"] },
  galleries: { sampling: ["best"], out: ["FILE"] },
  rosetta: { model: ["nothere.onnx"], landmarks: ["5"] },
  nystrom: { neighbors: ["0"], cache: ["FILE"] },
  explorer: { "images-per-shard": ["9"], limit: ["ten"] },
  align: {
    data: ["voc:/nonexistent", "algonauts:/nonexistent"],
    images: ["/nonexistent"],
    model: ["photo.jpg"],
    lambda: ["-1", "much", "Infinity"],
    seed: ["x"],
    cache: ["FILE"],
    adapter: ["gpu"],
  },
  "brain-score": {
    limit: ["0"],
    seeds: ["0"],
    out: ["FILE"],
    figures: ["gif"],
    adapter: ["gpu"],
    model: ["a.pt"],
  },
  "real-brains": {
    data: ["/nonexistent"],
    out: ["FILE"],
    figures: ["gif"],
    resamples: ["0"],
    repeats: ["x"],
    seed: ["-1"],
    adapter: ["gpu"],
  },
  "synthetic-dataset": { scenes: ["0", "ten"], seed: ["-1"], out: ["FILE"], report: ["FILE"] },
  status: { run: ["/nonexistent"], cache: ["/nonexistent"], zzz: ["1"] },
  "fault-injection": { only: ["nothing"], seed: ["x"] },
  "bench:graph": { zzz: ["1"] },
};

export const options: FaultFamily = {
  name: "options",
  title: "wrong values of every option of every task, words that belong to none, options without effect",
  async run({ quick, seed, report }) {
    const failures: string[] = [], root = await Deno.makeTempDir({ prefix: "alignedcut-options-" });
    let tried = 0;
    await Deno.writeTextFile(`${root}/file`, "no folder");
    const cases = Object.entries(TASKS).flatMap(([task, options]) =>
      Object.entries(options).flatMap(([name, values]) =>
        values.map((value) => ({ task, name, value: value === "FILE" ? `${root}/file` : value }))
      )
    );
    const judge = (what: string, name: string, value: string, said: string) => {
      tried++;
      const why = unclear(said);
      if (why) failures.push(`${what}: ${why}: ${said.slice(0, 200)}`);
      else if (
        !said.includes(`--${name}`) && !said.includes(value.replace(/^[\w-]*:/, "")) &&
        !/FILE|file/.test(value)
      ) {
        failures.push(`${what}: it names neither the option nor the value: ${said}`);
      }
    };
    /** Folders that nothing may be written to. */
    const places = (task: string, name: string): string[] =>
      ["out", "cache"].filter((place) => place !== name && (place === "cache" || task !== "status"))
        .flatMap((place) => [`--${place}`, `${root}/${place}`]);
    try {
      // Those of reproduce in this process, which takes little: the other experiments read the same options.
      for (const { task, name, value } of cases.filter(({ task }) => task === "reproduce")) {
        const args = [...places(task, name), `--${name}=${value}`, ...extra(task, name)],
          error = console.error;
        console.error = () => {};
        const said = await reproduce(args).then(() => "", (error) => String(error.message))
          .finally(() => console.error = error);
        if (said === "") failures.push(`reproduce --${name} ${value} was accepted`);
        else judge(`reproduce --${name} ${value}`, name, value, said);
      }
      const random = seededRandom(seed), others = cases.filter(({ task }) => task !== "reproduce");
      const chosen = quick
        ? Array.from({ length: QUICK }, () => others[Math.floor(random() * others.length)])
        : others;
      await mapConcurrently(chosen.length, LANES, async (i) => {
        const { task, name, value } = chosen[i],
          what = `${task} --${name} ${value}`,
          started = performance.now();
        const withPlaces = WITHOUT_PLACES.includes(task) ? [] : places(task, name);
        const command = (config.tasks as Record<string, { command: string }>)[task].command.split(" ").slice(
          2,
        );
        const { code, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--no-check", ...command, ...withPlaces, `--${name}=${value}`, ...extra(task, name)],
          cwd: ROOT,
          stdin: "null",
          stdout: "null",
          stderr: "piped",
        }).output();
        const lines = new TextDecoder().decode(stderr).split("\n").filter((line) =>
          line && !/XDG_RUNTIME/.test(line)
        );
        const seconds = (performance.now() - started) / 1000;
        if (code !== 1) failures.push(`${what}: exit code ${code}, ${lines.at(-1)}`);
        else judge(what, name, value, lines.at(-1) ?? "");
        if (seconds > AT_ONCE) failures.push(`${what}: it takes ${Math.round(seconds)} s to say so`);
        report(what);
      });
      for (const place of ["out", "cache/runs", "cache/align"]) {
        const left = await Array.fromAsync(Deno.readDir(`${root}/${place}`)).catch(() => []);
        if (left.length > 0) failures.push(`something was made in ${place}: ${left[0].name}`);
      }
    } finally {
      await Deno.remove(root, { recursive: true });
    }
    return { tried, failures };
  },
};

/** What an option needs beside it to be looked at; the experiments are asked for their short form. */
function extra(task: string, name: string): string[] {
  if (["partition", "time", "array-size", "slurm-config"].includes(name)) return ["--slurm", "--quick"];
  if (name === "masks") return ["--images", `${ROOT}docs`];
  return WITHOUT_QUICK.includes(task) ? [] : ["--quick"];
}
