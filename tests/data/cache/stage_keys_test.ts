import { assert, assertEquals } from "@std/assert";
import { POOLING_CODE } from "../../../src/data/features/pooled_features.ts";
import { hashOfModules } from "../../../src/data/files/code_hash.ts";
import { ALIGN_CODE } from "../../../src/pipeline/align_cache.ts";
import { PIPELINE_CODE } from "../../../src/pipeline/pipeline.ts";
import { DATASET_CODE } from "../../../src/synthetic/dataset.ts";
import { READING } from "../../../tasks/shared/open_pipeline.ts";

const ROOT = new URL("../../../", import.meta.url);

/** Modules whose hash is in the key of each stage, by its name. */
const STAGES: Record<string, readonly string[]> = {
  dataset: DATASET_CODE,
  pooled: POOLING_CODE,
  align: ALIGN_CODE,
  ...PIPELINE_CODE,
  "brain-score": ["src/experiments/brain_score/compute.ts"],
  concepts: [...READING, "src/experiments/concepts/compute.ts"],
  trajectories: [...READING, "src/experiments/trajectories/compute.ts"],
  rosetta: [...READING, "src/experiments/rosetta/compute.ts"],
  explorer: [...READING, "src/experiments/explorer/compute.ts"],
};
/** Experiments on the pipeline that compute with the alignment, on a device; of what it has found they take the values. */
const COMPUTING = ["concepts", "rosetta", "explorer"];

/** A line of code in each layer, and the stages whose key has it. */
const EDITS: [file: string, stages: string[]][] = [
  ["shaders/tsne_step.wgsl", ["map"]],
  ["src/gpu/kernel.ts", ["align", "eigenvectors", "map", "brain-score", ...COMPUTING]],
  ["src/linalg/subspace_iteration.ts", ["align", "eigenvectors", "brain-score"]],
  ["src/linalg/fft.ts", ["map"]],
  ["src/statistics/sign_flip_test.ts", ["brain-score", "concepts", "rosetta", "trajectories"]],
  ["src/graph/propagate.ts", ["eigenvectors"]],
  ["src/embed/tsne.ts", ["map"]],
  ["src/align/train.ts", ["align", "brain-score"]],
  ["src/data/onnx/residual_stream.ts", ["pooled", "features", "brain-score"]],
  ["src/pipeline/spectral_stages.ts", ["map"]],
  ["src/synthetic/scene_block.ts", ["dataset"]],
  ["src/experiments/rosetta/compute.ts", ["rosetta"]],
  ["src/experiments/trajectories/compute.ts", ["trajectories"]],
  ["src/data/images/preprocess.ts", ["pooled", "features", "brain-score", ...COMPUTING, "trajectories"]],
  ["src/pipeline/nodes.ts", ["trajectories"]],
  ["src/pipeline/pipeline.ts", []],
];
/** Pages, options, downloads and scripts, which no stage computes with. */
const NOT_COMPUTING = [
  "src/data/hub/http_request.ts",
  "src/experiments/rosetta/report.ts",
  "src/experiments/brain_score/report.ts",
  "src/report/page.css",
  "src/report/explorer/explorer.css",
  "src/report/chart.ts",
  "src/cli/options.ts",
  "src/scripting/space.ts",
  "tasks/brain_score.ts",
  "tasks/shared/open_data.ts",
];

Deno.test("a changed line of code makes the stages run that compute with it, and no other", async () => {
  const texts = new Map<string, Promise<string>>();
  /** Keys where some files have one more line. */
  const keysWith = async (changed: readonly string[]) => {
    const read = async (file: URL) => {
      const path = file.href.slice(ROOT.href.length);
      const text = texts.get(path) ?? Deno.readTextFile(file);
      texts.set(path, text);
      const more = path.endsWith(".css") ? "b {}\n" : "const MORE = 1;\n";
      return changed.includes(path) ? await text + more : await text;
    };
    const keys = Object.entries(STAGES).map(([, modules]) => hashOfModules(modules, ROOT, read));
    return await Promise.all(keys);
  };
  const before = await keysWith([]);
  for (const [files, expected] of [[NOT_COMPUTING, []], ...EDITS.map(([file, run]) => [[file], run])]) {
    for (const file of files) assert((await Deno.stat(new URL(file, ROOT))).isFile);
    const after = await keysWith(files);
    const run = Object.keys(STAGES).filter((_, i) => after[i] !== before[i]);
    assertEquals(run, Object.keys(STAGES).filter((stage) => expected.includes(stage)), files.join(", "));
  }
});
