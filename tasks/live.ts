/** `./run live`: a folder with a page that takes photographs and computes every layer's cut in the browser. */
import config from "../deno.json" with { type: "json" };
import { basename, join } from "node:path";
import { assertWritable, writeFileAtomic } from "../src/data/files/atomic_write.ts";
import { CACHE_FOLDER } from "../src/data/files/project_folder.ts";
import { openPackage } from "../src/data/hub/package_file.ts";
import { openKnownModel } from "../src/data/models/known_models.ts";
import { findHookOutputs } from "../src/data/onnx/block_hooks.ts";
import { readOnnx, withOutputs } from "../src/data/onnx/graph.ts";
import { patchSize } from "../src/data/onnx/patch_order.ts";
import { sha256 } from "../src/data/features/extract_parts.ts";
import { streamFeatures } from "../src/data/features/stream_features.ts";
import { sharedBeta } from "../src/align/model.ts";
import { slotName } from "../src/align/slots.ts";
import { readFsaverage5 } from "../src/data/datasets/fsaverage5.ts";
import { HEMISPHERES } from "../src/data/datasets/subject.ts";
import { isThere } from "../src/data/files/plain_file.ts";
import { readSpace, type SavedSpace, SPACE_FILE, type TokenSource } from "../src/data/fits/space_file.ts";
import { cortexContent } from "../src/experiments/explorer/compute.ts";
import { noise } from "../src/experiments/live/compute.ts";
import type { LiveFolder, LiveModel } from "../src/experiments/live/model.ts";
import { liveDocument, liveStyle } from "../src/experiments/live/document.ts";
import { type LiveCortex, packCortex, packSpace } from "../src/experiments/live/space.ts";
import { linksAbove } from "../src/report/page_links.ts";
import { repeated, text } from "../src/cli/option_kinds.ts";
import { commandLine, runCommand } from "../src/cli/options.ts";
import { bundle } from "./shared/bundle.ts";
import { LIVE_POLICY } from "./shared/live_policy.ts";

const OWN_SPACE = `reports/out/${SPACE_FILE}`;

/** The task and its options. */
export const COMMAND = {
  task: "live",
  about:
    "Writes DIR: a page that runs a model on photographs dropped onto it and shows every layer's normalised cut as " +
    "colors, computed in the browser with WebGPU; nothing leaves the machine. ./run serve DIR serves it, and so does any " +
    "web server. onnxruntime-web is downloaded once, by npm.",
  options: {
    model: repeated({
      value: "NAME",
      help: "a built-in or added model, or an ONNX file; several with commas",
      shown: "clip_tiny,dino_tiny,mae_tiny",
    }),
    space: text({
      value: "FILE",
      help:
        "a saved space, in which photographs get the colors of the colors page: ./run colors --save-space FILE writes one",
      shown: `${OWN_SPACE}, which ./run reproduce writes, if it exists`,
    }),
    out: text({ value: "DIR", help: "the folder to write", default: "reports/out/live" }),
  },
};

const MODELS = ["clip_tiny", "dino_tiny", "mae_tiny"];
const RUNTIME = { registry: "npm", name: "onnxruntime-web", version: "1.30.0" } as const;
/** Of it what runs models on the processor, each file with its SHA-256. */
const RUNTIME_FILES = {
  "ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
  "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
};

/** Where onnxruntime-web is kept. */
const RUNTIME_FOLDER: string = join(CACHE_FOLDER, "onnxruntime-web");

/** A file of onnxruntime-web; null where it is not there, or another than was tried. */
async function runtimeFile(name: keyof typeof RUNTIME_FILES): Promise<Uint8Array | null> {
  const bytes = await Deno.readFile(join(RUNTIME_FOLDER, name)).catch(() => null);
  return bytes && sha256([bytes]) === RUNTIME_FILES[name] ? bytes : null;
}

const RUNTIME_NAMES = Object.keys(RUNTIME_FILES) as (keyof typeof RUNTIME_FILES)[];

/** Whether nothing has to be downloaded. */
export async function isRuntimeThere(): Promise<boolean> {
  return (await Promise.all(RUNTIME_NAMES.map(runtimeFile))).every((bytes) => bytes !== null);
}

/**
 * Downloads onnxruntime-web by npm, unless it is there.
 *
 * @throws Error "onnxruntime-web 1.30.0 has another a.mjs than was tried (SHA-256 ab…): …"; as `openPackage` what npm says
 */
async function fetchRuntime(): Promise<void> {
  if (await isRuntimeThere()) return;
  const temporary = await Deno.makeTempDir();
  try {
    await using source = openPackage(RUNTIME, temporary, console.error);
    await Deno.mkdir(RUNTIME_FOLDER, { recursive: true });
    for (const name of RUNTIME_NAMES) {
      const path = await source.fetch(`dist/${name}`), bytes = path && await Deno.readFile(path);
      const hash = bytes ? sha256([bytes]) : "none";
      if (!bytes || hash !== RUNTIME_FILES[name]) {
        throw new Error(
          `onnxruntime-web ${RUNTIME.version} has another ${name} than was tried (SHA-256 ${hash}): it is not used.`,
        );
      }
      await writeFileAtomic(join(RUNTIME_FOLDER, name), bytes);
    }
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

/** A model with every layer's output, and what the page has to know of it. @throws Error in a sentence where the page cannot run it */
async function liveModel(
  model: string,
  space: SavedSpace | null,
): Promise<{ about: LiveModel; bytes: Uint8Array }> {
  const { path, preprocessor, registers } = await openKnownModel(model), graph = await readOnnx(path);
  const refuse = (why: string) => new Error(`${path} ${why}: the live page cannot run it.`);
  const { resize, crop } = preprocessor, size = crop ?? (resize && "width" in resize ? resize : null);
  if (!size) throw refuse("takes images of any size, and its preprocessing neither crops nor gives a size");
  if (graph.external.length > 0) throw refuse("keeps its weights in files beside it");
  if ((graph.inputs[0].shape[0] ?? 1) !== 1) throw refuse("takes a fixed number of images at once");
  const outputs = findHookOutputs(graph), name = basename(path, ".onnx");
  const manifest = await streamFeatures({
    model: path,
    preprocessor,
    ...(registers !== undefined && { registers }),
    images: [{ name: "noise", load: () => Promise.resolve(noise(size)) }],
    outDir: "",
    dtype: "float32",
  }, { begin() {}, rows() {} });
  const { classToken, registers: between, grid, width, layers } = manifest, patch = patchSize(graph);
  return {
    about: {
      name,
      file: `models/${name}.onnx`,
      preprocessor,
      tensors: outputs.map(({ tensor }) => tensor),
      layout: { classToken, registers: between, grid },
      patch: patch && { height: patch[0], width: patch[1] },
      width,
      slots: space && slotsOf(space, name, layers.map(({ layer }) => layer), manifest),
    },
    bytes: withOutputs(
      graph,
      outputs.map(({ tensor }) => tensor),
      outputs.flatMap(({ added }) => added),
    ),
  };
}

/** What tokens are made of: sizes and crops aside, as a photograph is brought to the model's own. */
type TokensOf = Pick<TokenSource, "modelSha256" | "hook" | "shifts" | "preprocessing">;

function madeLike(a: TokensOf, b: TokensOf): boolean {
  const [from, to] = [a, b].map(({ modelSha256, hook, shifts, preprocessing }) => {
    const [{ rescale, normalize }, registers] = JSON.parse(preprocessing);
    return JSON.stringify({ modelSha256, hook, shifts, rescale, normalize, registers });
  });
  return from === to;
}

/** Where the space has a model's layers, made in the same way from the same file; null where it has not. */
function slotsOf(
  { space: { model: { slots } }, sources }: SavedSpace,
  name: string,
  layers: readonly number[],
  own: TokensOf,
): number[] | null {
  const source = sources.find(({ model }) => model === name);
  const found = layers.map((layer) => slots.findIndex((slot) => slot.name === slotName(name, layer)));
  if (source && !found.includes(-1) && madeLike(source, own)) return found;
  console.error(
    source || found.some((slot) => slot >= 0)
      ? `${name}: the space was made of another file, other layers or another preprocessing of that name: its photographs have colors of their own alone.`
      : `${name}: the space has no such model: its photographs have colors of their own alone.`,
  );
  return null;
}

/** The cortex of a space's voxels; null where the file does not say where they lie. */
async function cortexOf({ space: { model }, sheet }: SavedSpace): Promise<LiveCortex | null> {
  if (!sheet) return null;
  const { rois, leftVoxels, places, vertices } = sheet;
  const hemispheres = rois.map((_, voxel) => HEMISPHERES[voxel < leftVoxels ? 0 : 1]);
  return {
    ...cortexContent({
      places: rois.map((roi, i) => ({
        x: places.data[2 * i],
        y: places.data[2 * i + 1],
        roi,
        hemisphere: hemispheres[i],
      })),
      ...(vertices && {
        surface: {
          meshes: await readFsaverage5(),
          hemispheres,
          vertices: vertices.data,
          names: [],
          regions: [],
        },
      }),
    }),
    beta: sharedBeta(model),
  };
}

/** The space that is asked for, or the one that `./run reproduce` has left; null where there is none. */
async function spaceOf(path: string | undefined): Promise<{ path: string; saved: SavedSpace } | null> {
  const found = path ?? OWN_SPACE;
  if (path === undefined && !await isThere(found)) return null;
  return { path: found, saved: await readSpace(found) };
}

/**
 * Writes the folder of the live page.
 *
 * @param models names or paths
 * @param space what `./run colors --save-space` wrote; null for none
 * @param command as typed
 * @returns bytes written
 * @throws Error naming the model that the page cannot run, or what npm could not download
 */
export async function writeLive(
  out: string,
  models: readonly string[] = MODELS,
  space: { path: string; saved: SavedSpace } | null = null,
  command = "./run live",
): Promise<number> {
  await assertWritable(out);
  await fetchRuntime();
  const made = [];
  for (const model of models) made.push(await liveModel(model, space?.saved ?? null));
  const names = made.map(({ about }) => about.name);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice) throw new RangeError(`Two models are called ${twice}: name each once.`);
  const cortex = space && await cortexOf(space.saved);
  const folder: LiveFolder = { models: made.map(({ about }) => about), space: space && aboutSpace(space) };
  const files: Record<string, string | Uint8Array> = {
    "index.html": liveDocument({
      policy: LIVE_POLICY,
      beside: await linksAbove(out),
      settings: {
        models: names.join(", "),
        space: folder.space ?? "none",
        [RUNTIME.name]: RUNTIME.version,
        version: config.version,
      },
      command,
    }),
    "live.css": liveStyle(),
    "page.js": await bundle('import "./src/experiments/live/page.js"'),
    "worker.js": await bundle('import "./src/experiments/live/worker.ts"'),
    "models.json": JSON.stringify(folder),
  };
  if (space) files["space.bin"] = packSpace(space.saved);
  if (cortex) files["cortex.bin"] = packCortex(cortex);
  for (const name of RUNTIME_NAMES) files[name] = (await runtimeFile(name))!;
  for (const { about, bytes } of made) files[about.file] = bytes;
  await Deno.mkdir(join(out, "models"), { recursive: true });
  for (const name of ["space.bin", "cortex.bin"]) {
    if (!(name in files)) await Deno.remove(join(out, name)).catch(() => {}); // of an earlier folder
  }
  let written = 0;
  for (const [name, content] of Object.entries(files)) {
    await writeFileAtomic(join(out, name), content);
    written += typeof content === "string" ? new TextEncoder().encode(content).length : content.length;
  }
  return written;
}

/** What the page says of the space. */
function aboutSpace(
  { path, saved: { space: { model }, fit, map, sheet } }: { path: string; saved: SavedSpace },
) {
  const count = (n: number) => n.toLocaleString("en-US");
  return `${basename(path)}: ${count(model.slots.length)} layers, ${
    count(fit.landmarks.features.rows)
  } landmarks, a map of ${count(map.points.rows)} nodes, ${
    sheet ? `${count(model.beta.cols)} voxels` : "no places of voxels: save it again for the cortex"
  }.`;
}

if (import.meta.main) {
  await runCommand(COMMAND, async ({ options: { model, space, out } }) => {
    const found = await spaceOf(space);
    const bytes = await writeLive(
      out,
      model.length > 0 ? model : MODELS,
      found,
      commandLine("live", Deno.args),
    );
    console.error(
      found ? `space: ${aboutSpace(found)}` : `no space: ./run reproduce leaves one in ${OWN_SPACE}`,
    );
    console.log(`${out}: ${(bytes / 1e6).toFixed(1)} MB. Show it: ./run serve ${out}`);
  });
}
