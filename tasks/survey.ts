/** `./run survey`: solves graphs of many kinds, and compares every answer with float64 and every time with scipy's. */
import { writeNpy } from "../src/data/formats/npy.ts";
import { openGpu, trim } from "../src/gpu/mod.ts";
import { type NormalizedCut, normalizedCut } from "../src/graph/normalized_cut.ts";
import { findPython } from "./bench/programs.ts";
import { type Parsed, runCommand } from "../src/cli/options.ts";
import { toggle } from "../src/cli/option_kinds.ts";
import { seed } from "./shared/options.ts";
import { doubleSoftwareThreads } from "./shared/software_threads.ts";
import { featuresOf, surveyInputs } from "./survey/inputs.ts";
import type { Judgement } from "./survey/truth.ts";

/** The task and its options. */
export const COMMAND = {
  task: "survey",
  about:
    `Normalized cuts of ${
      surveyInputs(0, false).length
    } graphs: does each converge to 1e-5, does float64 confirm ` +
    "what it reports, and how long does it take? The table goes to the terminal, every input to reports/out/survey.json.",
  options: {
    quick: toggle({ help: "only graphs of 97 nodes" }),
    seed: { ...seed, help: "seed of the inputs" },
    peers: toggle({ help: "also measure scipy in float64 (python3, or ALIGNEDCUT_PYTHON)" }),
  },
};

const TOLERANCE = 1e-5, OUT = "reports/out/survey.json";
/** Times that a short solve is measured, the shortest counts. */
const ROUNDS = 6;
/** Times scipy's that an input may take, and seconds below which no time is compared. */
const SLOW = 10, SHORT = 0.02;
/** Times that both are measured again, by turns, where ours seems slow: what else a machine does can only add. */
const AGAIN = 5;

interface Row extends Judgement {
  family: string;
  input: string;
  converged: boolean;
  resolved: number;
  reported: number;
  applications: number;
  seconds: number;
  scipy: number | null;
  faults: string[];
}

async function survey({ options }: Parsed<typeof COMMAND.options>): Promise<void> {
  doubleSoftwareThreads();
  const inputs = surveyInputs(options.seed, options.quick);
  const python = options.peers ? await findPython() : undefined;
  if (options.peers && !python) throw new Error("There is no python3 for --peers: set ALIGNEDCUT_PYTHON.");
  await using scipy = python ? openScipy(python) : null;
  using gpu = await openGpu(), judge = openJudge();
  const rows: Row[] = [];
  for (const input of inputs) {
    const { family, n, d, components, seed } = input, x = featuresOf(input);
    let seconds = Infinity, cut, peer = scipy ? await scipy.seconds(x, components) : null;
    const measure = async () => {
      const started = performance.now();
      cut = await normalizedCut(gpu, x, { components, tolerance: TOLERANCE });
      seconds = Math.min(seconds, (performance.now() - started) / 1000);
    };
    for (let round = 0; round < ROUNDS && (round < 2 || seconds < 1); round++) await measure(); // the first may compile
    for (let again = 0; again < AGAIN && peer !== null && isSlow(seconds, peer); again++) {
      await measure();
      peer = Math.min(peer, await scipy!.seconds(x, components));
    }
    trim(gpu);
    const { converged, resolved, residuals, applications } = cut!;
    const row: Row = {
      family,
      input: `${n} × ${d}, ${components} components, seed ${seed}`,
      converged,
      resolved,
      reported: Math.max(...residuals),
      applications,
      seconds,
      ...await judge.ask(x, cut!),
      scipy: peer,
      faults: [],
    };
    row.faults = faultsOf(row);
    rows.push(row);
    for (const fault of row.faults) console.error(`${family}, ${row.input}: ${fault}`);
  }
  console.log(tableOf(rows));
  await Deno.mkdir("reports/out", { recursive: true });
  await Deno.writeTextFile(OUT, JSON.stringify(rows, null, 1));
  console.log(`Every input: ${OUT}`);
  const wrong = rows.filter(({ faults }) => faults.length > 0).length;
  if (wrong > 0) throw new Error(`${wrong} of ${rows.length} inputs are not as they should be: see above.`);
}

function isSlow(seconds: number, scipy: number): boolean {
  return seconds > Math.max(SLOW * scipy, SHORT);
}

/** What is not as it should be. */
function faultsOf(row: Row): string[] {
  const { converged, residual, reported, ratio, valueError, angleShare, seconds, scipy } = row;
  const faults: string[] = [];
  const check = (is: boolean, what: string) => is && faults.push(what);
  if (converged) {
    check(
      residual > 10 * TOLERANCE,
      `dishonest: converged with a residual of ${residual.toExponential(1)} in float64`,
    );
    check(
      (valueError ?? 0) > 10 * TOLERANCE,
      `dishonest: an eigenvalue is ${valueError?.toExponential(1)} off`,
    );
    check(
      (angleShare ?? 0) > 1,
      `dishonest: an angle is ${angleShare?.toFixed(1)} times what residuals and gap allow`,
    );
  } else {check(
      true,
      `not converged: ${reported.toExponential(1)} as reported, ${residual.toExponential(1)} in float64`,
    );}
  check(ratio > 10, `residuals as reported and in float64 differ by ${ratio.toFixed(0)} times`);
  check(
    scipy !== null && isSlow(seconds, scipy),
    `slow: ${seconds.toFixed(2)} s, scipy ${scipy?.toFixed(3)} s`,
  );
  return faults;
}

function tableOf(rows: Row[]): string {
  const families = [...new Set(rows.map(({ family }) => family))], all = "all";
  const lines = [...families, all].map((family) => {
    const own = rows.filter((row) => family === all || row.family === family);
    const most = (pick: (row: Row) => number | null) => Math.max(...own.map((row) => pick(row) ?? 0));
    const dishonest = own.filter(({ faults }) =>
      faults.some((fault) => fault.startsWith("dishonest"))
    ).length;
    return [
      family,
      own.length,
      own.filter(({ converged }) => converged).length,
      dishonest,
      most((row) => row.reported).toExponential(1),
      most((row) => row.residual).toExponential(1),
      most((row) => row.ratio).toFixed(1),
      most((row) => row.valueError).toExponential(1),
      most((row) => row.angleShare).toFixed(2),
      most((row) => row.applications),
      own.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(1),
      most((row) => row.seconds).toFixed(2),
      most((row) => row.scipy && row.seconds / row.scipy).toFixed(1),
    ].map(String);
  });
  const head = ["family", "inputs", "converged", "dishonest", "residual", "in float64", "ratio", "λ off"]
    .concat("angle / allowed", "applications", "seconds", "longest", "× scipy");
  const widths = head.map((title, at) => Math.max(title.length, ...lines.map((line) => line[at].length)));
  return [head, ...lines].map((line) =>
    line.map((cell, at) => at === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[at])).join("  ")
  ).join("\n");
}

/** The float64 reference in a thread of its own. */
function openJudge() {
  const worker = new Worker(new URL("survey/judge_worker.ts", import.meta.url), { type: "module" });
  return {
    ask: (x: ReturnType<typeof featuresOf>, cut: NormalizedCut) =>
      new Promise<Judgement>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage({ x, cut });
      }),
    [Symbol.dispose]: () => worker.terminate(),
  };
}

/** scipy in a process of its own. */
function openScipy(python: string) {
  const script = new URL("survey/scipy_peer.py", import.meta.url).pathname, folder = Deno.makeTempDirSync();
  const child = new Deno.Command(python, { args: [script], stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter(),
    reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  return {
    async seconds({ data, rows, cols }: ReturnType<typeof featuresOf>, components: number): Promise<number> {
      await writeNpy(`${folder}/x.npy`, data, [rows, cols]);
      const job = { x: `${folder}/x.npy`, components, tolerance: TOLERANCE };
      await writer.write(new TextEncoder().encode(JSON.stringify(job) + "\n"));
      while (!rest.includes("\n")) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`${script} ended before its answer: does ${python} have numpy and scipy?`);
        rest += value;
      }
      const end = rest.indexOf("\n"), line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      return JSON.parse(line).seconds;
    },
    async [Symbol.asyncDispose]() {
      await writer.close().catch(() => {});
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

if (import.meta.main) await runCommand(COMMAND, survey);
