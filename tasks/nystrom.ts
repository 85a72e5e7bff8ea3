/** `./run nystrom`: how wrong the approximation of the large graph is, with a report. */
import { alignedSource, openRawFeatures } from "../src/pipeline/aligned_source.ts";
import { auditNystrom, auditRun } from "../src/experiments/nystrom/compute.ts";
import { writeNystromReport } from "../src/experiments/nystrom/report.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";
import type { Sampling } from "../src/graph/landmarks.ts";

/** What audits. */
const CODE = ["src/experiments/nystrom/compute.ts", "src/pipeline/aligned_source.ts"];

/** Audits the pipeline's graph on a random part of it. @returns the path of the page */
export async function runNystrom(open: OpenPipeline, { quick }: { quick: boolean }): Promise<string> {
  const { gpu, pipeline, seed } = open;
  const { align, eigenvectors, fit } = pipeline;
  await using raw = await openRawFeatures(pipeline.manifests);
  const source = alignedSource(gpu, raw, align);
  const run = await open.stage(
    "audit of the run",
    () => open.memoized("audit-run", CODE, {}, () => auditRun(gpu, source, eigenvectors, seed)),
  );
  const plan = {
    ...(quick ? { nodes: 1200, landmarks: [100, 300] } : { nodes: 3000, landmarks: [100, 300, 1000] }),
    components: 10,
    neighbors: [1, 8, 32],
    seed,
    samplings: ["uniform", "farthest", "stratified"] satisfies Sampling[],
  };
  const audit = await open.stage(
    "audit",
    (tick) => open.memoized("audit", CODE, plan, () => auditNystrom(gpu, source, plan, tick)),
  );
  return await writeNystromReport({
    ...open,
    audit,
    run,
    models: pipeline.models,
    graph: pipeline.total.nodes,
    landmarks: fit.landmarks.indices.length,
    neighbors: fit.neighbors,
    images: pipeline.images.length,
    data: pipeline.data,
  });
}

/** The task and its options. */
export const COMMAND = experiment("nystrom");

if (import.meta.main) await runExperiment(COMMAND, runNystrom);
