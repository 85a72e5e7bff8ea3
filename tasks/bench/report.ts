/** A whole run of the benchmark, as data and as text. */
import type { WorkResult } from "./harness.ts";
import type { Limits } from "./limits.ts";
import type { TargetOutcome } from "./targets.ts";

/** What `--json` writes. */
export interface BenchReport {
  schema: 1;
  version: string;
  deno: string;
  adapter: { description: string; software: boolean };
  /** Logical processors. */
  cores: number;
  /** Load averages over 1, 5 and 15 minutes when it started. */
  load: number[];
  limits: Limits;
  works: WorkResult[];
  targets: TargetOutcome[];
}

/** A measurement's rate, and the share of the limits that it is. */
export interface Rates {
  gflops?: number;
  gbs?: number;
  /** Shares in percent. */
  gflopsShare?: number;
  gbsShare?: number;
}

/** Rates of a time in a work. */
export function ratesOf({ cost }: WorkResult, seconds: number, limits: Limits): Rates {
  if (!cost) return {};
  const gflops = cost.operations / seconds / 1e9, gbs = cost.bytes / seconds / 1e9;
  return {
    gflops,
    gbs,
    gbsShare: 100 * gbs / limits.gbs,
    ...(limits.gflops && { gflopsShare: 100 * gflops / limits.gflops }),
  };
}

/** Names and versions of what was measured beside ours, as "numpy 2.4.6", each once. */
export function peerVersions(works: readonly WorkResult[]): string[] {
  const versions = works.flatMap(({ measured }) => measured.flatMap(({ version }) => version.split(", ")));
  return [...new Set(versions)].filter((version) => version && !version.startsWith("Deno ")).sort();
}

/** Three digits; 0.0123 and 1.23e-5 too. */
export function short(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(1);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function markdownTable(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Rows of the table of all measurements: work, participant, time, ratio, rates, memory, accuracy. */
export function measurementRows(works: readonly WorkResult[], limits: Limits): string[][] {
  return works.flatMap((work) =>
    work.measured.map(({ name, seconds, ratio, peakMb, figures }) => {
      const { gflops, gflopsShare } = ratesOf(work, seconds.median, limits);
      const share = gflopsShare === undefined ? "" : ` (${gflopsShare.toFixed(0)} %)`;
      return [
        work.title,
        name,
        `${short(seconds.median)} (${short(seconds.lower)}–${short(seconds.upper)})`,
        short(ratio),
        gflops === undefined ? "–" : `${short(gflops)}${share}`,
        peakMb === undefined ? "–" : String(peakMb),
        Object.entries(figures).map(([figure, value]) => `${figure} ${short(value)}`).join(", ") || "–",
      ];
    })
  );
}

/** Names of its columns. */
export const MEASUREMENT_COLUMNS = [
  "work",
  "who",
  "seconds (quartiles)",
  "× ours",
  "GFLOP/s (of limit)",
  "peak MB",
  "accuracy and more",
];

/** The run as Markdown: what `--markdown` prints. */
export function markdownReport({ adapter, cores, load, limits, works, targets, deno }: BenchReport): string {
  const ceilings = [
    ...(limits.gflops === null ? [] : [`${short(limits.gflops)} GFLOP/s`]),
    `${short(limits.gbs)} GB/s`,
  ];
  const kernels = works.filter(({ kernels }) => kernels.length > 0).map(({ title, kernels }) => {
    const sum = kernels.reduce((total, { milliseconds }) => total + milliseconds, 0);
    const shown = kernels.slice(0, 4).map(({ kernel, milliseconds }) =>
      `${kernel} ${(100 * milliseconds / sum).toFixed(0)} %`
    );
    return [title, short(sum), shown.join(", ")];
  });
  const peers = peerVersions(works);
  return [
    `${adapter.description}, ${cores} cores, Deno ${deno}; load at the start ${
      load.map(short).join(", ")
    }. ` +
    `Limits: ${ceilings.join(", ")} (${limits.source}).` +
    (peers.length > 0 ? ` Peers: ${peers.join(", ")}.` : ""),
    markdownTable(
      ["work", "target", "measured", "verdict"],
      targets.map(({ work, target, measured, verdict }) => [work, target, measured, verdict]),
    ),
    markdownTable(MEASUREMENT_COLUMNS, measurementRows(works, limits)),
    ...(kernels.length === 0
      ? []
      : [markdownTable(["work", "GPU time, ms", "of it (by timestamps, each kernel alone)"], kernels)]),
  ].join("\n\n");
}
