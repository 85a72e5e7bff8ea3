/** The catalogue of the options that several tasks take. */
import { DATA_OPTIONS } from "../../src/cli/data_options.ts";
import {
  listOf,
  oneOf,
  type Option,
  type OptionValues,
  text,
  toggle,
  wholeNumber,
} from "../../src/cli/option_kinds.ts";
import { SHARD_IMAGES } from "../../src/data/features/feature_shards.ts";
import { MAX_FILES } from "../../src/data/features/node_dataset.ts";
import { ALIGNMENTS } from "../../src/pipeline/align_cache.ts";
import { FIGURE_FORMATS } from "../../src/report/figure_files.ts";
import { CACHE_FOLDER } from "../../src/data/files/project_folder.ts";

/** Images a run of a model: a shard of features holds a whole number of batches. */
export const BATCH = 8;

/** Eigenvectors of a graph. */
export const COMPONENTS = 20;

export const out = text({ value: "DIR", help: "where the report goes", default: "reports/out" });

export const figures = listOf(FIGURE_FORMATS, {
  help: "also write every figure as a file to DIR/figures, where DIR is that of --out: svg, png or svg,png",
});

export const cache = text({
  value: "DIR",
  help: "where finished stages are cached",
  default: CACHE_FOLDER,
  shown: ".cache",
});

export const seed = wholeNumber({ help: "seed of every random choice", from: 0, default: 0 });

export const adapter = oneOf(["hardware", "software"], {
  value: "KIND",
  help: "which WebGPU adapter to use: hardware or software",
  shown: "hardware if there is one",
});

export const masks = text({
  value: "DIR",
  help: "figure-ground masks of --images: NAME.png for NAME.jpg, white where the figure is",
});

export const limit = wholeNumber({
  help: "use the first N images of each kind",
  shown: "100; 12 with --quick",
  from: 1,
});

export const alignment = oneOf(ALIGNMENTS, {
  help:
    "ridge (every layer by ridge regression to the same components of the responses) or paper (trained as in the " +
    "paper, with the eigen-constraint)",
  shown: "ridge",
});

const neighborCount = wholeNumber({ help: "", from: 1, to: 128 });
const neighbors: Option<number | "all" | undefined> = {
  value: "K",
  help:
    "Nyström extension: all (Fowlkes, most accurate), or K (mean of the K nearest landmarks, as in the paper, for " +
    "which 32 is usual)",
  shown: "all",
  read: (texts, name) => texts.at(-1) === "all" ? "all" : neighborCount.read(texts, name),
};

/** Options of every experiment on the pipeline. */
export const PIPELINE_OPTIONS = {
  ...DATA_OPTIONS,
  limit,
  alignment,
  preset: oneOf(["paper"], {
    value: "NAME",
    help:
      "paper: --alignment paper, --neighbors 100, --sampling farthest, 50 landmarks and at least 10 points of the " +
      "t-SNE per image (50,000 and 10,000 for the paper's 1,000 images)",
    shown: "none",
  }),
  neighbors,
  landmarks: wholeNumber({
    help: "number of landmarks",
    shown: "300; with --neighbors K 5000, or 1500 with --quick",
    from: 100,
    to: 50_000,
  }),
  sampling: oneOf(["uniform", "farthest"], {
    help:
      "how landmarks are sampled: uniform (at random) or farthest (farthest-point sampling as in the paper; " +
      "further from the exact answer here)",
    shown: "uniform",
  }),
  "neighbor-search": oneOf(["exact", "ivf", "hnsw", "auto"], {
    help:
      "how the nearest landmarks are found: exact; ivf (an inverted file) or hnsw, approximate, with the recall " +
      "measured; or auto (exact or hnsw)",
    default: "exact",
    formerly: "knn",
    renamed: { groups: "ivf" },
  }),
  "evaluation-images": wholeNumber({
    help:
      "images that the experiments evaluate, spread over all; features, eigenvectors and colors cover all images. A task " +
      "needs about 1 MB of memory for each at 36 layers of 197 tokens",
    default: 256,
    from: 1,
  }),
  "images-per-shard": wholeNumber({
    help: `images in one file of features, a multiple of ${BATCH}`,
    shown: `${SHARD_IMAGES}, doubled until a folder has ${MAX_FILES} files at most`,
    from: BATCH,
    to: 4096,
    formerly: "shard-images",
  }),
  out,
  figures,
  cache,
  seed,
  adapter,
  quick: toggle({ help: "use fewer scenes, landmarks and steps" }),
  "check-error": toggle({
    help: "report how far the eigenvectors are from the exact ones, on 3,000 random nodes",
    formerly: "audit",
  }),
  verify: toggle({
    help:
      "check every byte of finished stages; by default, stages above 268 MB are checked by their sizes and 268 MB of " +
      "their bytes",
  }),
  "dry-run": toggle({ help: "report what would run, and why; run nothing", formerly: "explain" }),
};

/** Their values. */
export type PipelineValues = OptionValues<typeof PIPELINE_OPTIONS>;
