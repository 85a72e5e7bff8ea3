/** The report of the experiment `nystrom`. */
import { formatNumber, table, text } from "../../report/blocks.ts";
import { barChart } from "../../report/charts/bar.ts";
import { linesChart } from "../../report/charts/lines.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { responsiveChart } from "../../report/responsive_chart.ts";
import { landmarkClaim, nameOf } from "./claims.ts";
import { type AuditRow, auditSentence, type NystromAudit, type RunAudit } from "./compute.ts";
import { type RunContext, writeReport } from "../shared/write_experiment.ts";

/** What was measured. */
export interface NystromReport extends RunContext {
  models: string[];
  /** Nodes of the whole graph, from which those of the audit were drawn. */
  graph: number;
  /** What the images and the brain are, for people. */
  data: string;
  images: number;
  audit: NystromAudit;
  /** The run's own eigenvectors against the exact ones, and how it got them. */
  run: RunAudit;
  landmarks: number;
  neighbors: number | "all";
}

const EQUATION = rawHtml(
  `<math display="block"><msub><mover><mi>X</mi><mo>~</mo></mover><mi>i</mi></msub><mo>=</mo><mfrac><mrow><munder><mo>∑</mo><mrow><mi>k</mi><mo>∈</mo><msub><mi>K</mi><mi>i</mi></msub></mrow></munder><msub><mi>A</mi><mrow><mi>k</mi><mi>i</mi></mrow></msub><msub><mi>x</mi><mi>k</mi></msub></mrow><mrow><munder><mo>∑</mo><mrow><mi>k</mi><mo>∈</mo><msub><mi>K</mi><mi>i</mi></msub></mrow></munder><msub><mi>A</mi><mrow><mi>k</mi><mi>i</mi></mrow></msub></mrow></mfrac></math>`,
);

function metricName({ method, landmarks, neighbors, sampling }: AuditRow): string {
  if (method === "gradient") return "gradient";
  return method === "fowlkes" ? `fowlkes.m${landmarks}` : `m${landmarks}.k${neighbors}.${sampling}`;
}

/**
 * Writes `nystrom.html`, its chart specs, and the numbers under the experiment `nystrom`.
 *
 * @returns the path of the page
 */
export async function writeNystromReport(report: NystromReport): Promise<string> {
  const { audit } = report;
  const claims = [landmarkClaim(audit)];
  const metrics = { ...metricsOf(audit), ...runMetrics(report.run) };
  const inputs = { models: report.models, images: report.images, nodes: report.graph, data: report.data };
  return await writeReport(report, "nystrom", inputs, { metrics, claims }, {
    title: "Nyström",
    question:
      "How far is the approximation from the exact eigenvectors, and which setting is worth its time?",
    method:
      `${audit.nodes} of the graph's ${report.graph} nodes are drawn at random, few enough to solve exactly. On these the approximation runs with other landmarks, neighbours and samplings, beside two baselines, and its ${audit.components} vectors are compared with the exact ones by principal angles: 0° is the same subspace, 90° means that some direction is missed altogether. A component counts as trusted when the subspace up to it is within 10° and its own gap is resolved.`,
    equation: EQUATION,
    sections: [
      { heading: choiceOf(audit).title, body: [await choiceChart(report)] },
      { heading: "This run", body: [runSection(report)] },
      { heading: "By landmarks and sampling", body: await samplingSection(report) },
      { heading: "All settings", body: tableSection(audit) },
      { heading: "The exact graph", body: exactSection(audit) },
    ],
    settings: { models: report.models.join(", ") },
  });
}

function metricsOf({ rows, exact, recall, compared }: NystromAudit): Record<string, number> {
  const metrics: Record<string, number> = {
    "seconds.exact": exact.seconds,
    eigengap: exact.eigengaps.at(-1)!,
  };
  if (!Number.isFinite(metrics.eigengap)) delete metrics.eigengap;
  for (const row of rows) {
    const name = metricName(row);
    metrics[`angle.max.${name}`] = row.angles.at(-1)!;
    row.angles.forEach((angle, i) => metrics[`angle.c${i + 1}.${name}`] = angle);
    metrics[`eigenvalue_error.${name}`] = row.eigenvalueError;
    metrics[`trusted.${name}`] = row.trusted;
    metrics[`seconds.${name}`] = row.seconds;
  }
  compared.draws.forEach(({ nystrom, fowlkes }, i) => {
    metrics[`angle.draw${i + 1}.nystrom`] = nystrom.angle;
    metrics[`angle.draw${i + 1}.fowlkes`] = fowlkes.angle;
    metrics[`seconds.draw${i + 1}.nystrom`] = nystrom.seconds;
    metrics[`seconds.draw${i + 1}.fowlkes`] = fowlkes.seconds;
  });
  if (recall !== null) metrics["recall.hnsw"] = recall;
  return metrics;
}

function runMetrics({ leadingAngles, eigenvalueErrors, trusted }: RunAudit): Record<string, number> {
  return {
    "angle.max.run": Math.max(...leadingAngles),
    "eigenvalue_error.run": Math.max(...eigenvalueErrors),
    "trusted.run": trusted,
  };
}

function runSection({ run, graph, landmarks, neighbors }: NystromReport): Html {
  const how = neighbors === "all"
    ? `all ${landmarks} landmarks by Fowlkes' orthogonalised Nyström`
    : `the ${neighbors} nearest of ${landmarks} landmarks`;
  return text(
    `The other pages of this run take the eigenvectors of all ${graph} nodes from ${how}. Held against the exact answer as they are, ${
      auditSentence(run)
    } Part of that is the audit's own: fewer nodes are another sample of the same graph.`,
  );
}

/** What is chosen, in words. */
function choiceName({ method, landmarks, neighbors, sampling }: AuditRow): string {
  if (method === "gradient") return "mini-batch gradient descent";
  return method === "fowlkes"
    ? `Fowlkes' extension from ${landmarks} landmarks`
    : `the mean of the ${neighbors} nearest of ${landmarks} landmarks, ${sampling}`;
}

/** The row with the most trusted components, the fastest of equal ones, and what to call the figure that says so. */
export function choiceOf({ rows, components }: NystromAudit): { title: string; best: AuditRow } {
  const best = rows.reduce((a, b) =>
    b.trusted > a.trusted || (b.trusted === a.trusted && b.seconds < a.seconds) ? b : a
  );
  return {
    best,
    title: best.trusted > 0
      ? `Choose ${choiceName(best)}: ${best.trusted} of ${components} components can be trusted`
      : "No setting gives a component that can be trusted",
  };
}

/** The best row of each method and number of landmarks, most trusted first. */
async function choiceChart({ audit, out }: NystromReport): Promise<Html> {
  const { best } = choiceOf(audit);
  const groups = Map.groupBy(audit.rows, ({ method, landmarks }) => `${method} ${landmarks}`);
  const shown = [...groups.values()].map((own) => choiceOf({ ...audit, rows: own }).best)
    .sort((a, b) => b.trusted - a.trusted || a.seconds - b.seconds);
  return await responsiveChart(
    "nystrom-choice",
    out,
    `Components, of the ${audit.components} leading ones, that lie within 10° of the exact ones and whose gap is resolved, on n = ${audit.nodes} nodes: for each method and number of landmarks m (K: the nearest of them, whose eigenvectors a node takes) the best of its settings, with its seconds of wall time.`,
    (theme, width) =>
      barChart({
        metric: `trusted components (of ${audit.components})`,
        bars: shown.map((row) => ({
          label: `${nameOf(row)}: ${formatNumber(row.seconds, row.seconds < 1 ? 2 : 1, false)} s`,
          value: row.trusted,
          emphasis: row === best,
        })),
        width,
      }, theme),
  );
}

async function samplingSection({ audit, out }: NystromReport): Promise<Html[]> {
  const ours = audit.rows.filter(({ method }) => method === "nystrom");
  const steps = [...new Set(ours.map(({ landmarks }) => landmarks!))];
  const keys = [...new Set(ours.map(({ neighbors, sampling }) => `K ${neighbors}, ${sampling}`))];
  const lines = keys.map((label) => ({
    label,
    values: steps.flatMap((m) =>
      ours.filter((row) => row.landmarks === m && `K ${row.neighbors}, ${row.sampling}` === label)
        .map(({ angles }) => angles[Math.floor(angles.length / 2)])
    ),
  })).filter(({ values }) => values.length === steps.length);
  const middle = Math.floor(audit.components / 2) + 1;
  return [
    await responsiveChart(
      "nystrom-angles",
      out,
      `Largest principal angle in degrees (0 to 90) between the first ${middle} approximate and exact eigenvectors of n = ${audit.nodes} nodes, by number of landmarks; one line a number of nearest landmarks K and a way of sampling.`,
      (theme, width) =>
        linesChart({
          name: "principal angles",
          yTitle: "angle (degrees)",
          xTitle: "landmarks",
          steps: steps.map(String),
          lines: lines.slice(0, theme.series.length).map((line, i) => ({ ...line, color: theme.series[i] })),
          yScale: "linear",
          ruleColor: theme.muted,
          width,
        }),
    ),
    text(
      "Farthest point sampling takes landmarks evenly over the space of features, not over the nodes: it changes the density that the eigenvectors reflect, uniform sampling does not.",
    ),
  ];
}

function tableSection({ rows, components }: NystromAudit): Html[] {
  const shown = [...new Set([2, Math.floor(components / 2) + 1, components])].filter((c) => c <= components);
  return [
    table({
      caption:
        "Largest principal angle of the first c components in degrees, eigenvalue error, trusted components, wall time",
      columns: ["method", ...shown.map((c) => `c = ${c}`), "eigenvalue error", "trusted", "seconds"],
      rows: rows.map((row) => [
        nameOf(row),
        ...shown.map((c) => row.angles[c - 1]),
        row.eigenvalueError,
        row.trusted,
        row.seconds,
      ]),
      digits: 2,
    }),
  ];
}

function exactSection({ exact, connectivity, search, nodes }: NystromAudit): Html[] {
  return [
    text(
      `The kernel is never below e⁻², so the graph is always connected: its weakest node has degree ${
        formatNumber(connectivity.smallestDegree, 1)
      } of ${nodes}, where the kernel allows ${
        formatNumber(connectivity.possibleDegree, 1)
      }. Solved to a residual of ${formatNumber(exact.residual, 8)} in ${
        formatNumber(exact.seconds, 1)
      } s. Nearest neighbours: ${search}`,
    ),
    table({
      caption: "Exact eigenvalues and the gaps after them",
      columns: ["component", "eigenvalue", "gap"],
      rows: exact.eigenvalues.map((value, i) => [
        i + 1,
        value,
        Number.isFinite(exact.eigengaps[i]) ? exact.eigengaps[i] : "none",
      ]),
      digits: 4,
    }),
  ];
}
