/** `./run explorer`: one page to click through images, layers and models, computed in the browser. */
import { holdPages, writeFileAtomic } from "../src/data/files/atomic_write.ts";
import {
  type Exploration,
  explore,
  frontImages,
  imagesThatFit,
  LARGEST_PAGE,
} from "../src/experiments/explorer/compute.ts";
import { sharedBeta } from "../src/align/model.ts";
import { explorerDrawings } from "../src/experiments/explorer/report.ts";
import { alignedSource, openRawFeatures } from "../src/pipeline/aligned_source.ts";
import { runDataLine } from "../src/experiments/shared/run_data.ts";
import { FRONT_EXPLORER } from "../src/experiments/shared/index_page.ts";
import { recordExperiment } from "../src/experiments/shared/write_experiment.ts";
import { saveDrawings } from "../src/report/figure_files.ts";
import { spread } from "../src/report/explorer/spread.ts";
import { fewerImages } from "../src/report/explorer/fewer_images.ts";
import { explorerParts, explorerPieces } from "../src/report/explorer/page.ts";
import { linksBeside, withLinks } from "../src/report/page_links.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";

/** What computes the explorer's content. */
const CODE = ["src/experiments/explorer/compute.ts", "src/pipeline/aligned_source.ts"];

/**
 * Writes `explorer.html` with as many of the pipeline's images as fit, and what the front page shows of it beside it.
 *
 * @returns the path of the page
 */
export async function runExplorer(open: OpenPipeline): Promise<string> {
  const { out, pipeline: { models, images, eigenvectors, data } } = open;
  const path = `${out}/explorer.html`;
  const { pieces, front, errors, drawings } = await open.stage("explorer", async () => {
    const found = await open.memoized("explorer", CODE, {}, () => explored(open));
    const drawings = open.figures.length > 0
      ? await explorerDrawings(found.content, open.sheet, console.error)
      : [];
    return { ...await explorerPages(open, found), errors: found.errors, drawings };
  });
  pieces[0] = withLinks(pieces[0], await linksBeside(path)); // in the page's header
  const bytes = pieces.map((piece) => new TextEncoder().encode(piece));
  const size = bytes.reduce((sum, { length }) => sum + length, 0);
  if (size > LARGEST_PAGE) {
    throw new Error(
      `${path} would have ${(size / 1e6).toFixed(1)} MB, more than ${
        LARGEST_PAGE / 1e6
      }: use smaller photographs.`,
    );
  }
  const inputs = { models, images: images.length, nodes: eigenvectors.rows, data };
  const metrics = { "error.similarity": errors.similarity, "error.activation": errors.activation };
  await using _held = await holdPages(out);
  await recordExperiment(open, "explorer", inputs, { metrics, claims: [] });
  await writeFileAtomic(`${out}/${FRONT_EXPLORER}`, JSON.stringify(front));
  await writeFileAtomic(path, bytes);
  await saveDrawings(path, drawings, open.figures);
  return path;
}

/** What the explorer shows of the pipeline. */
async function explored({ gpu, pipeline, sheet }: OpenPipeline): Promise<Exploration> {
  const { align } = pipeline, beta = sharedBeta(align);
  await using raw = await openRawFeatures(pipeline.manifests);
  const images = spread(imagesThatFit(pipeline, beta), pipeline.images.length);
  return await explore(pipeline, alignedSource(gpu, raw, align), beta, sheet, images);
}

/** The page, and the parts of it that the front page has. */
async function explorerPages({ pipeline, seed, command }: OpenPipeline, { content, errors }: Exploration) {
  const { eigenvectors } = pipeline, { beta, images } = content;
  const front = await explorerParts(fewerImages(content, frontImages(content)), true);
  const pieces = await explorerPieces(content, {
    data: await runDataLine(pipeline.data, pipeline.models),
    method:
      `Similarity is the cosine between rows of the ${eigenvectors.cols} eigenvectors x of one graph of all tokens of ${pipeline.total.images} images, ${pipeline.models.length} models and every layer. Activation is the sum over all layers and models l of the aligned features v′ at the clicked pixel (the ${beta.rows} channels that mean the same in every layer), or one of them, times the encoder β, without its constant. Both are computed here at each click, with the shaders that the toolkit computes with where the browser has WebGPU, and in plain JavaScript otherwise; what follows the pointer is plain JavaScript. All numbers of segments are cuts of one tree: Ward's, of 512 evenly spread tokens' unit rows of the same eigenvectors; every other token is with the most similar of those.`,
    settings: {
      images: `${images.length} of ${pipeline.total.images}, evenly spread, so that the page stays below ${
        LARGEST_PAGE / 1e6
      } MB`,
      nodes: `${content.segments.length} of ${pipeline.total.nodes} (class tokens among them, not drawn)`,
      numbers: `float16; over a sample of clicks no cosine is off by more than ${
        errors.similarity.toExponential(1)
      }, no activation by more than ${errors.activation.toExponential(1)}`,
      seed,
    },
    command,
  });
  return { pieces, front };
}

/** The task and its options. */
export const COMMAND = experiment("explorer");

if (import.meta.main) {
  await runExperiment(COMMAND, runExplorer);
}
