/** `./run explorer`: one page to click through images, layers and models, computed in the browser. */
import { writeFileAtomic } from "../src/data/files/atomic_write.ts";
import { explore, imagesThatFit, LARGEST_PAGE, spread } from "../src/experiments/explorer/compute.ts";
import { sharedBeta } from "../src/align/model.ts";
import { alignedSource, openRawFeatures } from "../src/pipeline/aligned_source.ts";
import { runDataLine } from "../src/experiments/shared/run_data.ts";
import { renderExplorer } from "../src/report/explorer/page.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";
import { refuseWithoutEffect } from "../src/cli/options.ts";

/** What makes the page. */
const CODE = ["tasks/explorer.ts"];

/** Writes `explorer.html` with as many of the pipeline's images as fit. @returns the path of the page */
export async function runExplorer(open: OpenPipeline): Promise<string> {
  const { out, command } = open;
  const path = `${out}/explorer.html`;
  const page = await open.stage(
    "explorer",
    () => open.kept("explorer", CODE, { command }, () => explorerPage(open)),
  );
  const bytes = new TextEncoder().encode(page);
  if (bytes.length > LARGEST_PAGE) {
    throw new Error(
      `${path} would have ${(bytes.length / 1e6).toFixed(1)} MB, more than ${
        LARGEST_PAGE / 1e6
      }: use smaller photographs.`,
    );
  }
  await Deno.mkdir(out, { recursive: true });
  await writeFileAtomic(path, bytes);
  return path;
}

async function explorerPage({ gpu, pipeline, sheet, seed, command }: OpenPipeline): Promise<string> {
  const { align, eigenvectors } = pipeline, beta = sharedBeta(align);
  const raw = await openRawFeatures(pipeline.manifests);
  try {
    const images = spread(imagesThatFit(pipeline, beta), pipeline.images.length);
    const { content, errors } = await explore(
      pipeline,
      alignedSource(gpu, raw, align),
      beta,
      sheet,
      images,
    );
    return await renderExplorer(content, {
      data: await runDataLine(pipeline.data, pipeline.models),
      method:
        `Similarity is the cosine between rows of the ${eigenvectors.cols} eigenvectors x of one graph of all tokens of ${pipeline.images.length} images, ${pipeline.models.length} models and every layer. Activation is the sum over all layers and models l of the aligned features v′ at the clicked pixel (the ${beta.rows} channels that mean the same in every layer), or one of them, times the encoder β, without its constant. Both are computed here at each click, with the shaders that the toolkit computes with where the browser has WebGPU, and in plain JavaScript otherwise; what follows the pointer is plain JavaScript. All numbers of segments are cuts of one tree: Ward's, of 512 evenly spread tokens' unit rows of the same eigenvectors; every other token is with the most similar of those.`,
      settings: {
        images: `${images.length} of ${pipeline.images.length}, evenly spread, so that the page stays below ${
          LARGEST_PAGE / 1e6
        } MB`,
        nodes: `${content.segments.length} of ${eigenvectors.rows} (class tokens among them, not drawn)`,
        numbers: `float16; over a sample of clicks no cosine is off by more than ${
          errors.similarity.toExponential(1)
        }, no activation by more than ${errors.activation.toExponential(1)}`,
        seed,
      },
      command,
    });
  } finally {
    await raw.close();
  }
}

/** The task and its options. */
export const COMMAND = experiment("explorer");

if (import.meta.main) {
  await runExperiment(
    COMMAND,
    runExplorer,
    ({ given }) => refuseWithoutEffect(given, ["figures"], "the explorer is drawn in the browser"),
  );
}
