/** `./run bench`: how fast it is, beside peers and beside the machine's limits. */
import { closeGpu, openGpu } from "../src/gpu/mod.ts";
import { measureWork, type WorkResult } from "./bench/harness.ts";
import { measureLimits } from "./bench/limits.ts";
import { findPython, programsOf } from "./bench/programs.ts";
import { type BenchReport, markdownReport } from "./bench/report.ts";
import { checkRatios } from "./bench/check_ratios.ts";
import { targetOutcomes } from "./bench/targets.ts";
import { chosenWorks, WORKS } from "./bench/works.ts";
import { type Flags, readFlags, runTask, wholeNumber } from "../src/cli/read_flags.ts";

const HELP = `./run bench [options]

  --only LIST       works by name, or by the beginning of their names, as matmul,cut-5000 (default: all but the paper's)
  --peers           let the peers that are installed take turns with ours
  --rounds N        rounds of every work (default: 1 to 7, by the work)
  --set LIST        sizes of a work, as nodes=100000,landmarks=2000 for paper-job
  --python PATH     the Python of the peers (default: $ALIGNEDCUT_PYTHON, else python3)
  --json FILE       the whole run as JSON; - prints it
  --markdown        print the tables of docs/performance.md
  --out DIR         where the report goes (default: reports/out)
  --adapter KIND    hardware or software (default: hardware if there is one)
  --gpu             for a bare checkout on a machine with a GPU: --adapter hardware --peers --json -, and no page
  --check           compare a few ratios with tasks/bench/ratios.json; warns, never fails
  --update          with --check: write the ratios of this run there
  --help            this text

works: ${WORKS.map(({ name }) => name).join(", ")}`;

/** "nodes=100000,landmarks=2000" by name. */
function sizesOf(text: string | undefined): Record<string, number> {
  return Object.fromEntries((text?.split(",") ?? []).map((part) => {
    const [, name, value] = /^(\w+)=(\d+)$/.exec(part) ?? [];
    if (name) return [name, Number(value)];
    throw new RangeError(`--set has "${part}": write NAME=NUMBER, as nodes=100000.`);
  }));
}

/** Measures the works that the flags name. */
async function runBench(flags: Flags): Promise<BenchReport> {
  const adapter = flags.gpu ? "hardware" : flags.adapter as "hardware" | "software" | undefined;
  const load = Deno.loadavg(), probe = await openGpu({ adapter });
  const { description, software } = probe.adapter;
  closeGpu(probe);
  const works = chosenWorks(flags.only as string | undefined, software);
  const sizes = sizesOf(flags.set as string | undefined), rounds = wholeNumber(flags, "rounds", 1, 100);
  const peers = flags.peers === true || flags.gpu === true;
  const python = await findPython(flags.python as string | undefined);
  const limits = await measureLimits(python, adapter);
  const results: WorkResult[] = [];
  for (const plan of works) {
    const folder = await Deno.makeTempDir({ prefix: "alignedcut-bench-" });
    try {
      results.push(
        await measureWork({
          plan,
          options: { ...plan.options(software), ...sizes },
          ...await programsOf(plan, { peers, python, adapter }),
          rounds: rounds ?? plan.rounds,
          folder,
          openJudge: () => openGpu({ adapter }),
          closeJudge: closeGpu,
          tell: (line) => console.error(line),
        }),
      );
    } catch (error) {
      if (works.length === 1) throw error;
      console.error((error as Error).message);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  return {
    schema: 1,
    version,
    deno: Deno.version.deno,
    adapter: { description, software },
    cores: navigator.hardwareConcurrency,
    load,
    limits,
    works: results,
    targets: targetOutcomes(results, works.map(({ name }) => name), software),
  };
}

await runTask(async () => {
  const flags = readFlags(
    Deno.args,
    ["only", "rounds", "set", "python", "json", "out", "adapter"],
    ["peers", "markdown", "gpu", "check", "update"],
  );
  if (!flags) return console.log(HELP);
  if (flags.check) return await checkRatios(flags.update === true);
  const report = await runBench(flags);
  const json = flags.gpu ? flags.json ?? "-" : flags.json;
  if (json === "-") console.log(JSON.stringify(report, null, 2));
  else if (json) await Deno.writeTextFile(String(json), JSON.stringify(report, null, 2) + "\n");
  if (flags.markdown) console.log(markdownReport(report));
  if (flags.gpu) return;
  if (!flags.markdown && json !== "-") {
    for (const { work, target, measured, verdict } of report.targets) {
      console.log(`${verdict}: ${work}: ${target}: ${measured}`);
    }
  }
  const page = new URL("./bench/bench_page.ts", import.meta.url).href; // not a literal: a bare checkout has no packages
  const { writeBenchPage } = await import(page);
  const command = ["./run bench", ...Deno.args].join(" ");
  console.error(`done: ${await writeBenchPage(report, String(flags.out || "reports/out"), command)}`);
});
