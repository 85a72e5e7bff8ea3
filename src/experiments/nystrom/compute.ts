/** How far the approximation of a large graph is from its exact eigenvectors, where those can be afforded. */
import { takeColumns, takeRows } from "../../linalg/host_matrix.ts";
import { chooseNeighborSearch } from "../../pipeline/neighbor_search.ts";
import { type Gpu, trim } from "../../gpu/mod.ts";
import { type Audit, auditApproximation } from "../../graph/audit.ts";
import type { EigenvectorMethod } from "../../graph/baselines/eigenvector_method.ts";
import { fowlkesNystrom } from "../../graph/baselines/fowlkes_nystrom.ts";
import { minibatchGradient } from "../../graph/baselines/minibatch_gradient.ts";
import type { Sampling } from "../../graph/landmarks.ts";
import { gatherRows, matrixSource, type NodeSource } from "../../graph/node_source.ts";
import { type NormalizedCut, normalizedCut } from "../../graph/normalized_cut.ts";
import { fitNystrom, type NystromModel } from "../../graph/nystrom.ts";
import { rayleighQuotients } from "../../graph/rayleigh_quotients.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { fork, sampleIndices, seededRandom } from "../../linalg/random.ts";

/** One method at one setting against the exact answer. */
export interface AuditRow {
  method: "nystrom" | "fowlkes" | "gradient";
  landmarks?: number;
  neighbors?: number;
  sampling?: Sampling;
  /** Largest principal angle of the leading c-subspace in degrees, c = 1 … C. */
  angles: number[];
  /** Largest |ρ_c − λ_c| / λ_c. */
  eigenvalueError: number;
  /** Leading components that can be trusted. */
  trusted: number;
  seconds: number;
}

/** The paper's approximation beside Fowlkes', both at their best setting, with other landmarks each time. */
export interface LandmarkDraws {
  /** With the most landmarks. */
  nystrom: AuditRow;
  fowlkes: AuditRow;
  /** One a draw: largest principal angle of the middle component's subspace in degrees, and seconds of wall time. */
  draws: { nystrom: { angle: number; seconds: number }; fowlkes: { angle: number; seconds: number } }[];
}

/** What the audit found. */
export interface NystromAudit {
  nodes: number;
  components: number;
  rows: AuditRow[];
  compared: LandmarkDraws;
  exact: { seconds: number; eigenvalues: number[]; eigengaps: number[]; residual: number };
  /** Degrees: the weakest node's, and the least that this kernel allows. */
  connectivity: { smallestDegree: number; possibleDegree: number };
  /** Recall of the approximate nearest neighbours, where they were tried. */
  recall: number | null;
  /** Which search is used here, and why. */
  search: string;
}

/** Settings of the audit. */
export interface AuditPlan {
  nodes: number;
  components: number;
  landmarks: number[];
  neighbors: number[];
  samplings: Sampling[];
  seed: number;
}

/** Draws of landmarks for the comparison with Fowlkes: all of five have to agree. */
const DRAWS = 5;

/** m by sampling at the middle K, and m by K at the first sampling. */
export function settingsOf({ landmarks, neighbors, samplings }: AuditPlan) {
  const middle = neighbors[Math.floor(neighbors.length / 2)];
  const settings = landmarks.flatMap((m) => [
    ...samplings.map((sampling) => ({ landmarks: m, neighbors: middle, sampling })),
    ...neighbors.filter((k) => k !== middle).map((k) => ({
      landmarks: m,
      neighbors: k,
      sampling: samplings[0],
    })),
  ]);
  return settings.filter((setting) => setting.neighbors <= setting.landmarks);
}

/**
 * Draws nodes from a source, solves their graph exactly, and compares the paper's approximation over m, K and sampling,
 * Fowlkes' orthogonalised Nyström and mini-batch gradient eigenvectors with it.
 *
 * @param source any number of nodes
 */
export async function auditNystrom(
  gpu: Gpu,
  source: NodeSource,
  plan: AuditPlan,
  onProgress?: (done: number, total: number, note: string) => void,
): Promise<NystromAudit> {
  const { components, seed } = plan;
  const rows = drawnNodes(source, plan.nodes, seed);
  const features = await gatherRows(source, rows);
  const nodes = matrixSource(
    features,
    source.strata ? Uint32Array.from(rows, (row) => source.strata!(row)) : undefined,
  );
  const settings = settingsOf(plan);
  const baselines: { method: AuditRow["method"]; solve: EigenvectorMethod; landmarks?: number }[] = [
    ...plan.landmarks.filter((m) => m <= 300).map((landmarks) => ({
      method: "fowlkes" as const,
      solve: fowlkesNystrom,
      landmarks,
    })),
    { method: "gradient", solve: minibatchGradient },
  ];
  const total = settings.length + baselines.length + 1 + DRAWS;
  let done = 0;
  const tick = (note: string) => onProgress?.(++done, total, note);

  const started = performance.now();
  const exact = await normalizedCut(gpu, features, { components, seed, tolerance: 1e-6 });
  const exactSeconds = (performance.now() - started) / 1000;
  trim(gpu);
  tick("exact");
  const measured = async (solve: () => Promise<Matrix>) => {
    const begun = performance.now(), found = await solve();
    const seconds = (performance.now() - begun) / 1000;
    return { seconds, ...await compare(gpu, features, exact, found) };
  };
  const rowsFound: AuditRow[] = [];
  let recall: number | null = null, search = "";
  for (const setting of settings) {
    let model: NystromModel;
    const found = await measured(async () => {
      model = await fitNystrom(gpu, nodes, { ...setting, components, seed, search: "exact" });
      return await model.transform(nodes);
    });
    rowsFound.push({ method: "nystrom", ...setting, ...found });
    if (setting === settings.at(-1)) {
      const choice = await chooseNeighborSearch(gpu, model!, nodes, "hnsw");
      [recall, search] = [choice.recall, choice.reason];
    }
    trim(gpu);
    tick(`m ${setting.landmarks}, K ${setting.neighbors}, ${setting.sampling}`);
  }
  for (const { method, solve, landmarks } of baselines) {
    const own = { components, landmarks, seed };
    const found = await measured(async () => (await solve(gpu, features, own)).eigenvectors);
    rowsFound.push({ method, landmarks, ...found });
    tick(method);
  }
  const compared = bestOf(rowsFound), middle = Math.floor(components / 2);
  const timed = async (solve: () => Promise<Matrix>) => {
    const { angles, seconds } = await measured(solve);
    return { angle: angles[middle], seconds };
  };
  const draws: LandmarkDraws["draws"] = [];
  while (draws.length < DRAWS) {
    const drawn = fork(seed, "landmarks", draws.length);
    const { neighbors, sampling, landmarks = 0 } = compared.nystrom;
    const nystrom = await timed(async () => {
      const model = await fitNystrom(gpu, nodes, {
        landmarks,
        neighbors,
        sampling,
        components,
        seed: drawn,
        search: "exact",
      });
      return await model.transform(nodes);
    });
    const fowlkes = await timed(async () =>
      (await fowlkesNystrom(gpu, features, {
        components,
        landmarks: compared.fowlkes.landmarks,
        seed: drawn,
      }))
        .eigenvectors
    );
    draws.push({ nystrom, fowlkes });
    trim(gpu);
    tick("other landmarks");
  }
  const { connectivity, eigengaps } = auditApproximation(exact, exact);
  return {
    nodes: rows.length,
    components,
    rows: rowsFound,
    compared: { ...compared, draws },
    exact: {
      seconds: exactSeconds,
      eigenvalues: [...exact.eigenvalues],
      eigengaps: [...eigengaps],
      residual: Math.max(...exact.residuals),
    },
    connectivity,
    recall,
    search,
  };
}

/** The paper's approximation with the most landmarks, and Fowlkes': of each the setting with the most trusted components. */
function bestOf(rows: readonly AuditRow[]): Omit<LandmarkDraws, "draws"> {
  const best = (own: AuditRow[]) => own.reduce((a, b) => b.trusted > a.trusted ? b : a);
  const ours = rows.filter(({ method }) => method === "nystrom");
  const most = Math.max(...ours.map(({ landmarks }) => landmarks!));
  return {
    nystrom: best(ours.filter(({ landmarks }) => landmarks === most)),
    fowlkes: best(rows.filter(({ method }) => method === "fowlkes")),
  };
}

/** Components and nodes that a run's own eigenvectors are audited on. */
const RUN_COMPONENTS = 10, RUN_NODES = 3000;

/**
 * Compares the eigenvectors of a finished run, as they are, with the exact ones of some of its nodes.
 *
 * @param source all nodes of the run
 * @param eigenvectors one row a node
 * @returns the audit of the leading 10 components on 3,000 random nodes, or fewer where there are fewer
 */
export async function auditRun(
  gpu: Gpu,
  source: NodeSource,
  eigenvectors: Matrix,
  seed: number,
): Promise<RunAudit> {
  const rows = drawnNodes(source, RUN_NODES, seed);
  const features = await gatherRows(source, rows), components = Math.min(RUN_COMPONENTS, eigenvectors.cols);
  const exact = await normalizedCut(gpu, features, { components, seed, tolerance: 1e-6 });
  const own = takeColumns(takeRows(eigenvectors, rows), 0, components);
  const eigenvalues = await rayleighQuotients(gpu, features, own);
  return { ...auditApproximation(exact, { eigenvectors: own, eigenvalues }), nodes: rows.length };
}

/** An audit of the run itself. */
export type RunAudit = Audit & { nodes: number };

/** What an audit found, in one sentence. */
export function auditSentence(
  { nodes, trusted, leadingAngles, eigenvalueErrors, limit, connectivity }: RunAudit,
): string {
  const components = leadingAngles.length, worst = Math.max(...leadingAngles);
  return `on ${nodes} random nodes ${trusted} of ${components} leading components can be trusted ` +
    `(within ${limit}° of the exact ones, their gap resolved); the largest angle is ${
      worst.toFixed(1)
    }°, eigenvalues ` +
    `are off by up to ${(100 * Math.max(...eigenvalueErrors)).toFixed(1)} %, the weakest node has degree ` +
    `${connectivity.smallestDegree.toFixed(1)} of ${nodes}.`;
}

/** Random nodes, few enough to be solved exactly. */
function drawnNodes({ rows }: NodeSource, count: number, seed: number) {
  return sampleIndices(rows, Math.min(count, rows), seededRandom(fork(seed, "audit")));
}

async function compare(gpu: Gpu, features: Matrix, exact: NormalizedCut, eigenvectors: Matrix) {
  const eigenvalues = await rayleighQuotients(gpu, features, eigenvectors);
  const { leadingAngles, eigenvalueErrors, trusted } = auditApproximation(exact, {
    eigenvectors,
    eigenvalues,
  });
  return { angles: [...leadingAngles], eigenvalueError: Math.max(...eigenvalueErrors), trusted };
}
