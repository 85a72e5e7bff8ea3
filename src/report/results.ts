import * as v from "valibot";
import { reasonOf, writeFileAtomic } from "../data/files/atomic_write.ts";
import {
  listOf,
  NUMBER,
  objectOf,
  oneOf,
  parseJson,
  recordOf,
  TEXT,
  TOGGLE,
  wholeNumber,
} from "../data/files/checked_json.ts";
import { readPlainTextIfThere } from "../data/files/plain_file.ts";
import { skippedLines } from "../data/files/skipped.ts";

/** What became of a claim, or of one test of it. */
export type Verdict = "shown" | "partly" | "not shown" | "not testable";

/** One test of a claim: in one model, or several at once, and one setting. */
export interface Cell {
  /** The model or models. */
  model: string;
  /** Setting or part of the claim, where there are several. */
  setting?: string;
  /** What the effect is measured in. */
  unit: string;
  /** Size of the effect, above 0 as the claim has it; absent, with the interval and p, where nothing can be tested. */
  effect?: number;
  /** Low end of the effect's 95 % interval, or of the range of fewer than ten units. */
  low?: number;
  /** High end. */
  high?: number;
  /** One-sided chance of such an effect where there is none. */
  p?: number;
  /** Independent units: images, models or trainings. */
  n: number;
  /** What follows from p. */
  verdict: Exclude<Verdict, "partly">;
  /** Why nothing can be tested, or that the numbers rest on few patches. */
  note?: string;
}

/** One claim of the paper beside what was measured. */
export interface Claim {
  /** Short name in kebab-case, unique in its experiment. */
  id: string;
  /** What the paper says: claims with the same words are one claim, whatever experiments test it. */
  paper: string;
  /** What was found, in one sentence. */
  measured: string;
  /** What the effect, its interval and p are, and what the units. */
  statistic: string;
  /** Its tests, at least one. */
  cells: readonly Cell[];
  /** Shown where all cells that can be tested are, partly where only some are. */
  verdict: Verdict;
  /** In how many simulations without the effect any cell was shown. */
  false_alarm?: { rate: number; worlds: number };
}

/** The run that results are of. */
export interface ResultsRun {
  version: string;
  deno: string;
  adapter: { description: string; software: boolean };
  seed: number;
  /** As typed. */
  command: string;
  inputs: { models: string[]; images: number; nodes: number; data: string };
}

/** The numbers and claims of one experiment; in the file, also of which run they are. */
export interface ExperimentResults extends Partial<ResultsRun> {
  /** Finite numbers only, by the names of RESULTS.md. */
  metrics: Record<string, number>;
  claims: Claim[];
}

/** The whole of results.json, schema 1; its own run is that of the last task that wrote. */
export interface Results extends ResultsRun {
  schema: 1;
  /** What the last run has left out, as "1 .heic, 2 subfolders", or taken in another way than it stands; absent where nothing was. */
  skipped?: string[];
  /** Seconds of wall time by stage. */
  timings: Record<string, number>;
  memory: { peak_rss_mb: number; peak_gpu_mb: number };
  experiments: Record<string, ExperimentResults>;
}

const VERDICTS: readonly string[] = ["shown", "partly", "not shown", "not testable"] satisfies Verdict[];

const VERDICT = oneOf(["shown", "partly", "not shown", "not testable"]);
const CELL = objectOf({
  model: TEXT,
  setting: v.optional(TEXT),
  unit: TEXT,
  effect: v.optional(NUMBER),
  low: v.optional(NUMBER),
  high: v.optional(NUMBER),
  p: v.optional(NUMBER),
  n: wholeNumber(),
  verdict: oneOf(["shown", "not shown", "not testable"]),
  note: v.optional(TEXT),
}, "a test of a claim");
const CLAIM = objectOf({
  id: TEXT,
  paper: TEXT,
  measured: TEXT,
  statistic: TEXT,
  cells: listOf(CELL, "a list of tests"),
  verdict: VERDICT,
  false_alarm: v.optional(objectOf({ rate: NUMBER, worlds: wholeNumber() }, "rate and worlds")),
}, "a claim");
const RUN = {
  version: TEXT,
  deno: TEXT,
  adapter: objectOf({ description: TEXT, software: TOGGLE }, "description and software"),
  seed: NUMBER,
  command: TEXT,
  inputs: objectOf(
    { models: listOf(TEXT, "a list of names"), images: wholeNumber(), nodes: wholeNumber(), data: TEXT },
    "models, images, nodes and data",
  ),
};
const RESULTS = objectOf({
  schema: v.literal(1, "1"),
  ...RUN,
  skipped: v.optional(listOf(TEXT, "a list of sentences")),
  timings: recordOf(NUMBER, "seconds by stage"),
  memory: objectOf({ peak_rss_mb: NUMBER, peak_gpu_mb: NUMBER }, "peak_rss_mb and peak_gpu_mb"),
  experiments: recordOf(
    objectOf({
      ...v.partial(v.object(RUN)).entries,
      metrics: recordOf(NUMBER, "numbers by name"),
      claims: listOf(CLAIM, "a list of claims"),
    }, "metrics and claims"),
    "experiments by name",
  ),
}, "the results of a run");

/**
 * Merges one run's numbers into results.json: experiments by name, each with the run's command, seed, inputs, adapter and
 * versions, and timings by stage; the rest is replaced.
 * @param path The file; made if it does not exist, replaced as a whole if it does.
 * @param update What this run has to say.
 * @returns The merged content, as written.
 * @throws RangeError `experiments.colors.metrics["tsne.kl"] is NaN: …` on a number that is not finite.
 * @throws Error `<path> is not a results file of schema 1 …` when the file there is something else.
 */
export async function mergeResults(path: string, update: Omit<Results, "schema">): Promise<Results> {
  checkNumbers(update, "");
  checkVerdicts(update.experiments);
  const earlier = await readResults(path), { version, deno, adapter, seed, command, inputs } = update;
  const run = { version, deno, adapter, seed, command, inputs };
  const experiments = Object.fromEntries(
    Object.entries(update.experiments).map(([name, own]) => [name, { ...run, ...own }]),
  );
  const skipped = skippedLines().map((line) => line.replace(/^skipped: /, ""));
  const results: Results = {
    schema: 1,
    ...run,
    ...(skipped.length > 0 && { skipped }),
    timings: { ...earlier?.timings, ...update.timings },
    memory: update.memory,
    experiments: sortByName({ ...earlier?.experiments, ...experiments }),
  };
  await writeFileAtomic(path, JSON.stringify(results, null, 2) + "\n");
  return results;
}

/**
 * Reads results.json.
 * @param path The file.
 * @returns Its content, or undefined when there is no such file.
 * @throws Error `<path> is not a results file of schema 1 …` when the file there is something else.
 */
export async function readResults(path: string): Promise<Results | undefined> {
  const text = await readPlainTextIfThere(path);
  if (text === undefined) return undefined;
  try {
    return parseJson(text, RESULTS);
  } catch (error) {
    throw new Error(
      `${path} is not a results file of schema 1 (${reasonOf(error)}): move it away or choose another --out.`,
      { cause: error },
    );
  }
}

function checkNumbers(value: unknown, name: string): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new RangeError(
      `${name} is ${value}: results hold finite numbers only, so leave out what cannot be computed and say why.`,
    );
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const isWord = /^[a-z_]\w*$/i.test(key);
    const step = isWord ? `${name && "."}${key}` : Array.isArray(value) ? `[${key}]` : `["${key}"]`;
    checkNumbers(inner, name + step);
  }
}

function checkVerdicts(experiments: Results["experiments"]): void {
  for (const [name, { claims }] of Object.entries(experiments)) {
    for (const { id, verdict } of claims) {
      if (VERDICTS.includes(verdict)) continue;
      throw new TypeError(
        `The verdict of ${name}'s claim ${id} is "${verdict}", expected one of: ${VERDICTS.join(", ")}.`,
      );
    }
  }
}

function sortByName<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
