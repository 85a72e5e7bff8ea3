/** The benchmark's report page, and its numbers in results.json. */
import { join } from "node:path";
import { holdPages } from "../../src/data/files/atomic_write.ts";
import { table, text } from "../../src/report/blocks.ts";
import { barChart } from "../../src/report/charts/bar.ts";
import type { Html } from "../../src/report/html.ts";
import { responsiveChart } from "../../src/report/responsive_chart.ts";
import { mergeResults } from "../../src/report/results.ts";
import { writePage } from "../../src/report/write_page.ts";
import type { WorkResult } from "./harness.ts";
import {
  type BenchReport,
  MEASUREMENT_COLUMNS,
  measurementRows,
  peerVersions,
  ratesOf,
  short,
} from "./report.ts";
import { runDataLine } from "../../src/experiments/shared/run_data.ts";

/**
 * Writes `bench.html`, its charts, and the numbers under the experiment `bench`.
 *
 * @param out folder
 * @param command as typed
 * @returns the path of the page
 */
export async function writeBenchPage(report: BenchReport, out: string, command: string): Promise<string> {
  await using _held = await holdPages(out);
  const path = join(out, "results.json");
  const memory = (of: "peakMb" | "gpuMb") =>
    Math.max(0, ...report.works.map(({ measured }) => measured[0][of] ?? 0));
  await mergeResults(path, {
    version: report.version,
    deno: report.deno,
    adapter: report.adapter,
    seed: 0,
    command,
    inputs: { models: [], images: 0, nodes: 0, data: "synthetic" },
    timings: {},
    memory: { peak_rss_mb: memory("peakMb"), peak_gpu_mb: memory("gpuMb") },
    experiments: { bench: { metrics: metricsOf(report), claims: [] } },
  });
  const { adapter, limits, cores, load } = report;
  return await writePage(join(out, "bench.html"), {
    title: "Speed",
    data: await runDataLine("synthetic", []),
    question: "How fast is it, beside its peers and beside what the machine can do?",
    method:
      "Every participant runs in a process of its own on the same data file. After a warm-up all take turns, round by round, so that what else the machine does falls on all of them; the median of the rounds is shown, with quartiles, and ratios are medians of the ratios within a round. Results are judged by the same functions for all.",
    sections: [
      { heading: "Targets", body: [targetTable(report)] },
      { heading: "Times", body: await charts(report.works, out) },
      { heading: "All measurements", body: [measurementTable(report), absentText(report)] },
      { heading: "Kernels", body: [kernelTable(report)] },
    ],
    settings: {
      adapter: `${adapter.description}${adapter.software ? " (software)" : ""}`,
      cores,
      "load at the start": load.map(short).join(", "),
      ...(limits.gflops !== null && { "limit, GFLOP/s": short(limits.gflops) }),
      "limit, GB/s": short(limits.gbs),
      "limits measured by": limits.source,
      peers: peerVersions(report.works).join(", ") || "none",
      deno: report.deno,
      version: report.version,
    },
    command,
  });
}

function metricsOf({ works, limits, targets }: BenchReport): Record<string, number> {
  const metrics: Record<string, number> = {
    "limit.gbs": limits.gbs,
    ...(limits.gflops !== null && { "limit.gflops": limits.gflops }),
    "targets.met": targets.filter(({ verdict }) => verdict === "met").length,
    "targets.not_met": targets.filter(({ verdict }) => verdict === "not met").length,
    "targets.not_measured": targets.filter(({ verdict }) => verdict === "not measured").length,
  };
  const slug = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
  for (const work of works) {
    for (const { name, seconds, ratio, peakMb, gpuMb, figures } of work.measured) {
      const of = `${work.name}.${slug(name)}`, { gflops, gbs } = ratesOf(work, seconds.median, limits);
      const all: Record<string, number | undefined> = {
        seconds: seconds.median,
        "seconds.lower": seconds.lower,
        "seconds.upper": seconds.upper,
        ratio,
        gflops,
        gbs,
        peak_mb: peakMb,
        gpu_mb: gpuMb,
      };
      for (const [figure, value] of Object.entries(figures)) all[slug(figure)] = value;
      for (const [key, value] of Object.entries(all)) {
        if (value !== undefined && Number.isFinite(value)) metrics[`${key}.${of}`] = value;
      }
    }
    const gpuSeconds = work.kernels.reduce((sum, { milliseconds }) => sum + milliseconds / 1000, 0);
    if (gpuSeconds > 0) metrics[`gpu_seconds.${work.name}`] = gpuSeconds;
  }
  return metrics;
}

const SIGNS = { "met": "✓ met", "not met": "✕ not met", "not measured": "– not measured" };

function targetTable({ targets }: BenchReport): Html {
  return table({
    caption: "What is wanted, and what this run reached",
    columns: ["work", "target", "measured", "verdict"],
    rows: targets.map(({ work, target, measured, verdict }) => [work, target, measured, SIGNS[verdict]]),
  });
}

/** A chart for each work with someone to compare with. */
async function charts(works: readonly WorkResult[], out: string): Promise<Html[]> {
  const shown = works.filter(({ measured }) => measured.length > 1);
  if (shown.length === 0) return [text("Nobody took part beside ours: --peers lets the peers run, too.")];
  const figures: Html[] = [];
  for (const { name, title, measured } of shown) {
    const rounds = measured.map(({ seconds }) => seconds.count), most = Math.max(...rounds);
    const n = Math.min(...rounds) === most ? `${most}` : `${Math.min(...rounds)} to ${most}`;
    figures.push(
      await responsiveChart(
        `bench-${name}`,
        out,
        `${title}: wall time in seconds, median of n = ${n} ${most === 1 ? "round" : "rounds"}; ours first.`,
        (theme, width) =>
          barChart({
            metric: "wall time (s)",
            width,
            bars: measured.map(({ name, seconds }, at) => ({
              label: name,
              value: seconds.median,
              emphasis: at === 0,
            })),
          }, theme),
      ),
    );
  }
  return figures;
}

function measurementTable({ works, limits }: BenchReport): Html {
  return table({
    caption: "Medians with quartiles; ratios above 1 are slower than ours",
    columns: MEASUREMENT_COLUMNS,
    rows: measurementRows(works, limits),
  });
}

function absentText({ works }: BenchReport): Html {
  const lines = works.flatMap(({ title, absent }) =>
    Object.entries(absent).map(([name, why]) => `${title}: ${name} is absent (${why}).`)
  );
  return text(...lines.length > 0 ? lines : ["All peers took part."]);
}

function kernelTable({ works }: BenchReport): Html {
  const rows = works.flatMap(({ title, kernels }) =>
    kernels.slice(0, 6).map(({ kernel, dispatches, milliseconds }) => [
      title,
      kernel,
      dispatches,
      milliseconds,
    ])
  );
  if (rows.length === 0) return text("This adapter has no timestamps.");
  return table({
    caption: "GPU time by timestamps, each kernel in a pass of its own; of at most 2,048 dispatches",
    columns: ["work", "kernel", "dispatches", "milliseconds"],
    rows,
    digits: 2,
  });
}
