/** The models of a run: all of them see the same part of a photograph, cut into the same patches. */
import { basename } from "node:path";
import { type AttentionCount, countAttention, describeCount } from "../data/onnx/attention_outputs.ts";
import { patchSize } from "../data/onnx/patch_order.ts";
import type { DataRow } from "../data/datasets/data_parts.ts";
import { findHookOutputs, HOOK_NAMES } from "../data/onnx/block_hooks.ts";
import { chooseProvider, type ExtractChoice } from "../data/onnx/inference_provider.ts";
import { EMBEDDED_FOLDER, type KnownModel, openKnownModel } from "../data/models/known_models.ts";
import { type OnnxGraph, readOnnx } from "../data/onnx/graph.ts";
import { probeSizes, takesAnySize } from "../data/models/size_probe.ts";
import { report } from "../data/files/skipped.ts";
import { MAX_SHIFTS } from "../data/images/shift_and_stitch.ts";
import { readWeights } from "../data/models/vision_model.ts";
import type { InferenceProvider } from "../data/onnx/types.ts";
import type { Hook } from "../data/onnx/head_roles.ts";
import type { Size } from "../data/images/resized_size.ts";
import type { ExtractOptions } from "../data/features/stream_features.ts";
import { coveredSize } from "../data/images/whole_patches.ts";
import { afterView, type Preprocessor, seenSize, viewOf } from "../data/images/preprocessor.ts";

export interface RunModel extends Pick<ExtractOptions, "registers" | "hook" | "shifts" | "provider"> {
  /** Its ONNX file. */
  path: string;
  /** What happens to a photograph after the run's view of it. */
  preprocessor: Preprocessor;
}

/** What is taken of the models, the same of all. */
export interface Taken {
  /** Of every block; absent: the attention's output. */
  hook?: Hook;
  /** Pixels of the first model between patches; absent: its patch. */
  stride?: number;
  /** What they run on; absent: the processor. */
  extract?: ExtractChoice;
}

/** Models that can be compared patch by patch. */
export interface RunModels {
  /** In the order given. */
  models: RunModel[];
  /** Resize and crop of the first model, which all photographs go through. */
  view: Preprocessor;
  /** Pixels of a patch of the first model; null where they are not known. */
  patch: Size | null;
  /** One row a model, as of the data. */
  table: DataRow[];
  /** Whether all models are known to see equally many patches, so that they can be compared patch by patch. */
  isOneGrid: boolean;
}

/** A model and what its graph says. */
interface Opened extends KnownModel {
  graph: OnnxGraph;
  count: AttentionCount;
  patch: Size | null;
  /** What its own preprocessing gives. */
  size: Size | null;
}

/**
 * Reads preprocessing and records of models. Photographs are resized and cropped as the first model wants it; what it sees
 * is resized for the others, to as many pixels as give them equally many patches (224 × 224 with patches of 16, 196 × 196
 * with patches of 14: METHOD's 197 tokens an image).
 *
 * @param names as of `openKnownModel`
 * @param taken hook and stride, of all of them
 * @param ownPatches let every model see the photograph at its own size, cut into its own patches: for what compares models
 *   by their means over an image, as the brain does, and not patch by patch
 * @throws Error one sentence that names the file that is missing or cannot be used
 * @throws RangeError "Two models are called vit, x/vit.onnx and y/vit.onnx: …"
 * @throws Error "b.onnx is right at its own 256 × 256 pixels only, for its positions count on …, but sees the patches of a.onnx …"
 * @throws Error "b.onnx takes images of 224 × 224 pixels only, but sees the patches of a.onnx at 196 × 196: export it …"
 */
export async function openRunModels(
  names: readonly string[],
  { hook, stride, extract }: Taken = {},
  ownPatches = false,
): Promise<RunModels> {
  const opened: Opened[] = [];
  for (const name of names) {
    const known = await openKnownModel(name);
    assertOtherName(known.path, opened);
    const graph = await readOnnx(known.path);
    findHookOutputs(graph, hook); // what is not there is said before anything is computed
    const count = countAttention(graph), [height, width] = patchSize(graph) ?? [];
    const patch = height && width ? { width, height } : null;
    opened.push({ ...known, graph, count, patch, size: seenSize(known.preprocessor) });
  }
  const [first] = opened, areas: Area[] = [], table: DataRow[] = [], grids = new Set<string>();
  const provider = await providerFor(extract);
  const shifts = stride && shiftsFor(first.path, patchSize(first.graph), stride);
  const models: RunModel[] = [];
  for (const model of opened) {
    const { path, preprocessor, registers, patch, size } = model;
    const seen = !ownPatches && first.size && first.patch && patch && size
      ? sameGrid(size, patch, gridOf(first.size, first.patch))
      : size ?? first.size;
    if (!ownPatches && seen && size && !isSame(seen, size)) await assertTakes(model, size, seen, first.path);
    table.push(rowOf(model, seen, shifts));
    if (seen && patch) {
      areas.push({ name: basename(path, ".onnx"), seen, covered: coveredSize(seen, patch), patch });
    }
    grids.add(seen && patch ? JSON.stringify(gridOf(seen, patch)) : path);
    const resize = seen && !(first.size && isSame(seen, first.size)) ? seen : null;
    models.push({
      path,
      preprocessor: afterView(preprocessor, resize),
      ...(registers !== undefined && { registers }),
      ...(hook && { hook }),
      ...(shifts && { shifts }),
      ...(provider && { provider }),
    });
  }
  reportTaken({ hook, stride }, shifts);
  if (!ownPatches) tellUncovered(areas);
  return { models, view: viewOf(first.preprocessor), patch: first.patch, table, isOneGrid: grids.size === 1 };
}

/** What a model takes, and how far its patches go. */
interface Area {
  name: string;
  seen: Size;
  covered: Size;
  patch: Size;
}

/** Reports pixels that no patch covers, and patches of one model that lie beside those of the first. */
function tellUncovered([first, ...others]: Area[]): void {
  if (!first) return;
  const words = ({ name, seen, covered }: Area) =>
    `patches of ${name} cover ${covered.width} × ${covered.height} of the ${seen.width} × ${seen.height} pixels that it takes`;
  if (!isSame(first.seen, first.covered)) report(`${words(first)}: pictures and masks end there`);
  for (const other of others) {
    const off = (["width", "height"] as const).map((side) => {
      const share = ({ seen, covered }: Area) => covered[side] / seen[side];
      return Math.abs(share(other) / share(first) - 1) * other.covered[side] / other.patch[side];
    });
    const most = Math.max(...off);
    if (most < 1e-9) continue;
    report(
      `${words(other)}: they lie up to ${(100 * most).toFixed(0)} % of a patch beside those of ${first.name}`,
    );
  }
}

/** Pages, caches and layers call a model by its file, so that a second one of that name would be taken for the first. */
function assertOtherName(path: string, others: readonly KnownModel[]): void {
  const name = basename(path, ".onnx"), same = others.find((other) => basename(other.path, ".onnx") === name);
  if (!same) return;
  throw new RangeError(
    same.path === path
      ? `The model ${name} is given twice: give it once.`
      : `Two models are called ${name}, ${same.path} and ${path}: rename one file and what is beside it, or add it ` +
        "under another name by `./run models add FILE --name NAME`.",
  );
}

/** Says what of the models is taken, where it is not the attention's output at their own patches. */
function reportTaken({ hook = "attention", stride }: Taken, shifts?: number): void {
  if (hook !== "attention") report(`features are ${HOOK_NAMES[hook]} (--hook ${hook})`);
  if (shifts === 1) report(`--stride ${stride} changes nothing: patches are as large`);
  else if (stride) {
    report(
      `patches are ${stride} pixels apart: every image is seen several times, shifted (--stride ${stride})`,
    );
  }
}

/** What models run on, said where it is another than the processor or than was asked for; undefined for the processor. */
async function providerFor(
  extract: ExtractChoice | undefined,
): Promise<InferenceProvider | undefined> {
  const { provider, line } = await chooseProvider(extract);
  if (line) report(line);
  else if (provider === "webgpu") report("models run by onnxruntime's WebGPU (--extract webgpu)");
  return provider === "cpu" ? undefined : provider;
}

/**
 * Shifted images along each side for a stride.
 *
 * @param patch rows and columns of its pixels
 * @throws RangeError "--stride 4 is no part of the 14 × 14 pixels of a patch of a.onnx: give 7, 2 or another that divides it …"
 */
function shiftsFor(path: string, patch: readonly [number, number] | null, stride: number): number {
  if (!patch) throw new RangeError(`${path} does not state the size of its patches: leave out --stride.`);
  const [rows, cols] = patch, shifts = rows / stride;
  if (rows === cols && Number.isInteger(shifts) && shifts <= MAX_SHIFTS) return shifts;
  const strides = Array.from({ length: MAX_SHIFTS }, (_, i) => rows / (i + 1)).filter(Number.isInteger);
  throw new RangeError(
    `--stride ${stride} does not fit patches of ${cols} × ${rows} pixels (${path}): ${
      rows === cols ? `give ${strides.join(" or ")}` : "they have to be square"
    }.`,
  );
}

function isSame(a: Size, b: Size): boolean {
  return a.width === b.width && a.height === b.height;
}

/** Patches along both sides. */
function gridOf(size: Size, patch: Size): Size {
  return { width: Math.floor(size.width / patch.width), height: Math.floor(size.height / patch.height) };
}

/** Pixels that give this number of patches: the model's own along a side where they do. */
function sameGrid(own: Size, patch: Size, grid: Size): Size {
  const has = gridOf(own, patch);
  const side = (key: "width" | "height") => has[key] === grid[key] ? own[key] : grid[key] * patch[key];
  return { width: side("width"), height: side("height") };
}

/** A graph that was exported for one size takes no other, and one that runs at others may have wrong positions there. */
async function assertTakes(
  { path, graph, count, record }: Opened,
  own: Size,
  seen: Size,
  first: string,
): Promise<void> {
  const [{ name, shape: [, , rows, cols] }] = graph.inputs, { width, height } = seen;
  const sees = `but sees the patches of ${first} at ${width} × ${height}`;
  if ((rows ?? height) !== height || (cols ?? width) !== width) {
    throw new Error(
      `${path} takes images of ${cols ?? "any"} × ${rows ?? "any"} pixels only, ${sees}: ${anySize(name)}`,
    );
  }
  const why = record?.ownSizeOnly !== undefined
    ? record.ownSizeOnly
    : takesAnySize(graph)
    ? await probeSizes(graph, count.blocks, own, await readWeights(graph))
    : null;
  if (why === null) return;
  throw new Error(
    `${path} is right at its own ${own.width} × ${own.height} pixels only, for ${why}, ${sees}: ${
      anySize(name)
    }`,
  );
}

/** How models are exported for other sizes, with torch 2.15, timm 1.0.31 and transformers 5.24. */
function anySize(input: string): string {
  return "export it again for that size, or for any: of timm create_model(…, dynamic_img_size=True), then " +
    "d = torch.export.Dim.DYNAMIC and torch.onnx.export(…, dynamo=True, dynamic_shapes=({0: d, 2: d, 3: d},)), but " +
    "timm's DINOv3 for each size; of transformers torch.onnx.export(…, dynamo=False, " +
    `dynamic_axes={"${input}": {0: "batch", 2: "height", 3: "width"}}), but DINOv3 with dynamo=True as above.`;
}

/** What the table says of a model. */
function rowOf(
  { path, record, count, patch, registers }: Opened,
  seen: Size | null,
  shifts = 1,
): DataRow {
  const isEmbedded = path.startsWith(`${EMBEDDED_FOLDER}/`);
  const origin = record ? `added from ${record.source}` : isEmbedded ? "embedded" : "file";
  const grid = seen && patch && gridOf(seen, patch);
  return {
    kind: "model",
    path: record?.name ?? (isEmbedded ? basename(path, ".onnx") : path),
    found: `${origin}, ${layersOf(count)}, ` +
      `patches of ${patch ? `${patch.width} × ${patch.height}` : "unknown"} pixels` +
      (registers ? `, ${registers} registers` : ""),
    missing: record || isEmbedded
      ? record?.license === "unknown" ? "license" : "nothing"
      : "record (`./run models add` makes one, by which files are checked)",
    used: grid ? `features of ${shifts * grid.width} × ${shifts * grid.height} patches an image` : "features",
  };
}

/** "12 layers", with the count of attention nodes where it is another one. */
function layersOf(count: AttentionCount): string {
  const layers = `${count.blocks.length} layers`;
  const isPlain = count.apart.length === 0 && count.understood === count.blocks.length &&
    count.sideBySide === 0;
  return isPlain ? layers : `${layers} (${describeCount(count)})`;
}
