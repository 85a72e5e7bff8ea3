/**
 * Photographs, or scenes, through one model: a spectral color for every token of every layer, each layer its own graph.
 *
 * The stages (extract, then one graph a layer) keep what they finish under the cache, by the hash of their inputs, so a
 * stopped run goes on where it stopped and an unchanged one only writes its report.
 */
import { createHash } from "node:crypto";
import { closeGpu } from "../mod.ts";
import { extractFeatures } from "../src/data/extract.ts";
import { type KnownModel, openKnownModel } from "../src/data/known_models.ts";
import { preprocessMask, previewCrop } from "../src/data/preprocess.ts";
import { skippedLines } from "../src/data/skipped.ts";
import { readModelBytes } from "../src/data/vision_model.ts";
import { baselineFigureGround, runColors } from "../src/experiments/colors.ts";
import { writeColorsReport } from "../src/experiments/colors_report.ts";
import { CACHE_FOLDER } from "../src/experiments/embedded_world.ts";
import { folderImages, type RunImage } from "../src/experiments/image_set.ts";
import {
  rgbPositionFeatures,
  type TokenLabels,
  tokenLabels,
} from "../src/experiments/oracle_segmentation.ts";
import { sceneImages } from "../src/experiments/scene_images.ts";
import { type FigureFormat, figureFormats } from "../src/report/figure_files.ts";
import { openProgress } from "../src/report/progress.ts";
import { openTaskGpu } from "./open_task_gpu.ts";
import { type Flags, wholeNumber } from "./read_flags.ts";
import { openFolders } from "./task_folders.ts";

const MODEL = "mae_tiny";
/** Changes when a stage computes something else from the same inputs. */
const CACHE_VERSION = 2;
const COMPONENTS = 20;

interface Options {
  images?: string;
  masks?: string;
  limit?: number;
  model: string;
  registers?: number;
  out: string;
  cache: string;
  seed: number;
  adapter?: "hardware" | "software";
  figures: FigureFormat[];
  quick: boolean;
}

function readOptions(flags: Flags): Options {
  if (flags.adapter !== undefined && flags.adapter !== "hardware" && flags.adapter !== "software") {
    throw new RangeError(`--adapter is "${flags.adapter}": give hardware or software.`);
  }
  if (flags.masks && !flags.images) {
    throw new RangeError("--masks belongs to --images: the embedded scenes have their own.");
  }
  return {
    images: text(flags.images),
    masks: text(flags.masks),
    limit: wholeNumber(flags, "limit", 1),
    model: text(flags.model) ?? MODEL,
    registers: wholeNumber(flags, "registers", 0),
    out: text(flags.out) ?? "reports/out",
    cache: text(flags.cache) ?? CACHE_FOLDER,
    seed: wholeNumber(flags, "seed", 0) ?? 0,
    adapter: flags.adapter,
    figures: figureFormats(text(flags.figures)),
    quick: flags.quick === true,
  };
}

function text(flag: string | boolean | undefined): string | undefined {
  return typeof flag === "string" ? flag : undefined;
}

/** What identifies the inputs of the extraction: the model, its preprocessing and registers, and every image's pixels. */
async function inputHash(
  { path, preprocessor, registers }: Pick<KnownModel, "path" | "preprocessor" | "registers">,
  images: RunImage[],
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([CACHE_VERSION, preprocessor, registers]));
  for (const bytes of await readModelBytes(path)) hash.update(bytes);
  for (const image of images) {
    const { width, height, data } = await image.load();
    hash.update(`${image.name} ${width} ${height}`).update(data);
  }
  return hash.digest("hex").slice(0, 16);
}

/**
 * Runs one model over photographs, or scenes, and writes the report.
 *
 * @throws RangeError for options that do not fit, Error naming the file or image that is not usable
 */
export async function runPhotographs(flags: Flags): Promise<void> {
  const options = readOptions(flags);
  const started = performance.now();
  const timings: Record<string, number> = {};
  const timed = async <T>(stage: string, work: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work();
    timings[stage] = (performance.now() - from) / 1000;
    return result;
  };
  await openFolders({ "--out": options.out, "--cache": options.cache });
  const { path, preprocessor, ...known } = await openKnownModel(options.model);
  const registers = options.registers ?? known.registers;
  const count = options.limit ?? (options.quick ? 12 : 24);
  const images = options.images
    ? await folderImages(options.images, options.masks, options.limit)
    : sceneImages(count, 0);
  const gpu = await openTaskGpu(options.adapter, options.cache);
  try {
    console.error(
      `${images.length} images · ${gpu.adapter.description}${
        gpu.adapter.software ? " (software)" : ""
      } · seed ${options.seed}`,
    );
    const key = await inputHash({ path, preprocessor, registers }, images);
    for (const line of skippedLines()) console.error(line);
    const cacheDir = `${options.cache}/runs/${key}`;
    await Deno.mkdir(cacheDir, { recursive: true });

    const extracting = openProgress("extract", images.length);
    const manifest = await timed("extract", () =>
      extractFeatures({
        ...{ model: path, preprocessor, registers, images, outDir: `${cacheDir}/features`, dtype: "float32" },
        onProgress: (done) => extracting.tick(done),
      }).finally(() => extracting.finish()));
    console.error(
      `${manifest.model}: ${manifest.layers.length} layers, ${manifest.heads} heads, width ${manifest.width}, ${manifest.tokens} tokens an image`,
    );

    const photos = [];
    const labels: TokenLabels = { counts: new Uint32Array(0), classes: 2 };
    const counts: Uint32Array[] = [], colorAndPlace: Float32Array[] = [];
    for (const image of images) {
      const original = await image.load();
      const photo = previewCrop(original, preprocessor, image.name);
      photos.push({ name: image.name, photo });
      if (!image.mask) continue;
      const mask = await image.mask();
      if (mask.width !== original.width || mask.height !== original.height) {
        throw new RangeError(
          `The mask of ${image.name} is ${mask.width} × ${mask.height}, the image ${original.width} × ${original.height}: they must be equal.`,
        );
      }
      counts.push(tokenLabels(preprocessMask(mask, preprocessor), manifest.grid, labels.classes));
      colorAndPlace.push(rgbPositionFeatures(photo, manifest.grid).data);
    }
    const hasMasks = counts.length > 0;
    if (hasMasks) labels.counts = fill(new Uint32Array(total(counts)), counts);

    const cutting = openProgress("cut + color", manifest.layers.length);
    const layers = await timed("cut and color", () =>
      runColors(gpu, manifest, {
        ...{ components: COMPONENTS, seed: options.seed, cacheDir },
        ...(options.quick ? { sample: 500, iterations: 250 } : { sample: 1000, iterations: 500 }),
        labels: hasMasks ? labels : undefined,
        onProgress: (done, note) => cutting.tick(done, note),
      }).finally(() => cutting.finish()));

    const baseline = hasMasks
      ? await timed("baseline", () => {
        const data = fill(new Float32Array(total(colorAndPlace)), colorAndPlace);
        return baselineFigureGround(gpu, { data, rows: data.length / 5, cols: 5 }, labels, options.seed);
      })
      : undefined;

    timings.total = (performance.now() - started) / 1000;
    const page = await writeColorsReport({
      out: options.out,
      command: [
        "deno task reproduce",
        ...Deno.args.map((arg) => /[^\w@%+=:,./-]/.test(arg) ? `'${arg}'` : arg),
      ].join(" "),
      data: options.images ? "photographs" : "embedded",
      ...{ gpu, manifest, photos, layers, baseline, timings, seed: options.seed, figures: options.figures },
    });
    console.error(`done in ${timings.total.toFixed(1)} s: ${page}`);
  } finally {
    closeGpu(gpu);
  }
}

/** Copies parts one after the other into `all`. */
function fill<T extends Uint32Array | Float32Array>(all: T, parts: T[]): T {
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Values in all parts. */
function total(parts: ArrayLike<number>[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
