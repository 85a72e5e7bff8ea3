/** `./run bench`: how fast it is, beside peers and beside the machine's limits. */
import { type AdapterSummary, closeGpu, type GpuOptions, openGpu } from "../src/gpu/mod.ts";
import { checkOut } from "./bench/baseline.ts";
import { measureWork, type WorkResult } from "./bench/harness.ts";
import { measureLimits } from "./bench/limits.ts";
import { findPython, programsOf } from "./bench/programs.ts";
import { type BenchReport, markdownReport } from "./bench/report.ts";
import { checkRatios } from "./bench/check_ratios.ts";
import { targetOutcomes } from "./bench/targets.ts";
import { chosenWorks, WORKS } from "./bench/works.ts";
import { type Parsed, runCommand } from "../src/cli/options.ts";
import { oneOf, type OptionValues, text, toggle, wholeNumber } from "../src/cli/option_kinds.ts";

/** The task and its options. */
export const COMMAND = {
  task: "bench",
  options: {
    only: text({
      value: "LIST",
      help: "works by name, or by the beginning of their names, as matmul,cut-5000",
      shown: "all but the paper's",
    }),
    peers: toggle({ help: "let the peers that are installed take turns with ours" }),
    baseline: text({
      value: "COMMIT",
      help: "let another commit of this repository take turns, built in a temporary folder",
      shown: "none",
    }),
    rounds: wholeNumber({
      help: "rounds of every work",
      shown: "1 to 7, depending on the work",
      from: 1,
      to: 100,
    }),
    set: text({ value: "LIST", help: "sizes of a work, as nodes=100000,landmarks=2000 for paper-job" }),
    python: text({
      value: "PATH",
      help: "the Python of the peers",
      shown: "$ALIGNEDCUT_PYTHON, else python3",
    }),
    json: text({ value: "FILE", help: "write the whole run as JSON; - prints it", shown: "none" }),
    markdown: toggle({ help: "print the tables of docs/performance.md" }),
    out: text({ value: "DIR", help: "where the report goes", default: "reports/out" }),
    adapter: oneOf(["hardware", "software"], {
      value: "KIND",
      help: "which adapter of WebGPU computes: hardware or software",
      shown: "hardware if there is one",
    }),
    gpu: toggle({
      help: "for a bare checkout on a machine with a GPU: --adapter hardware --peers --json -, and no page",
    }),
    check: toggle({ help: "compare a few ratios with tasks/bench/ratios.json; warns, never fails" }),
    update: toggle({ help: "with --check: write the ratios of this run there" }),
  },
  after: `works: ${WORKS.map(({ name }) => name).join(", ")}`,
};

/** "nodes=100000,landmarks=2000" by name. */
function sizesOf(text: string | undefined): Record<string, number> {
  return Object.fromEntries((text?.split(",") ?? []).map((part) => {
    const [, name, value] = /^(\w+)=(\d+)$/.exec(part) ?? [];
    if (name) return [name, Number(value)];
    throw new RangeError(`--set has "${part}": write NAME=NUMBER, for example nodes=100000.`);
  }));
}

/** What computes. */
async function adapterOf(adapter: GpuOptions["adapter"]): Promise<AdapterSummary> {
  using gpu = await openGpu({ adapter });
  return gpu.adapter;
}

/** Measures the works that the options name. */
async function runBench(options: OptionValues<typeof COMMAND.options>): Promise<BenchReport> {
  const { gpu, only, set, rounds } = options, adapter = gpu ? "hardware" : options.adapter;
  const load = Deno.loadavg(), { description, software } = await adapterOf(adapter);
  const works = chosenWorks(only, software), sizes = sizesOf(set);
  const peers = options.peers || gpu, python = await findPython(options.python);
  const limits = await measureLimits(python, adapter);
  const baseline = options.baseline === undefined ? undefined : await checkOut(options.baseline);
  const results: WorkResult[] = [];
  try {
    for (const plan of works) {
      const folder = await Deno.makeTempDir({ prefix: "alignedcut-bench-" });
      try {
        results.push(
          await measureWork({
            plan,
            options: { ...plan.options(software), ...sizes },
            ...await programsOf(plan, { peers, python, adapter, baseline }),
            rounds: rounds ?? plan.rounds,
            folder,
            openJudge: () => openGpu({ adapter }),
            closeJudge: closeGpu,
            report: (line) => console.error(line),
          }),
        );
      } catch (error) {
        if (works.length === 1) throw error;
        console.error((error as Error).message);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    }
  } finally {
    await baseline?.remove();
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

async function bench({ options }: Parsed<typeof COMMAND.options>): Promise<void> {
  if (options.check) return await checkRatios(options.update);
  const report = await runBench(options);
  const json = options.gpu ? options.json ?? "-" : options.json;
  if (json === "-") console.log(JSON.stringify(report, null, 2));
  else if (json) await Deno.writeTextFile(json, JSON.stringify(report, null, 2) + "\n");
  if (options.markdown) console.log(markdownReport(report));
  if (options.gpu) return;
  if (!options.markdown && json !== "-") {
    for (const { work, target, measured, verdict } of report.targets) {
      console.log(`${verdict}: ${work}: ${target}: ${measured}`);
    }
  }
  const page = new URL("./bench/bench_page.ts", import.meta.url).href; // not a literal: a bare checkout has no packages
  const { writeBenchPage } = await import(page);
  const command = ["./run bench", ...Deno.args].join(" ");
  console.error(`done: ${await writeBenchPage(report, options.out, command)}`);
}

if (import.meta.main) await runCommand(COMMAND, bench);
