/** The live page's worker: photographs in, layers out, one after the other. It lies beside onnxruntime-web and the models. */
import { type Gpu, openGpu } from "../../gpu/mod.ts";
import { MAX_PIXELS, type RgbImage } from "../../data/images/picture.ts";
import { type LiveMeans, photographLayers, type RunModel, warmUp } from "./compute.ts";
import type { LiveModel, PhotographAnswer, PhotographRequest, WarmUpRequest } from "./model.ts";
import { openSpace } from "./space.ts";

/** onnxruntime-web, as far as it is used. */
interface Runtime {
  env: { wasm: { numThreads: number; wasmPaths: { wasm: string } }; logLevel: string };
  InferenceSession: { create(address: string, options: object): Promise<Session> };
  Tensor: new (type: string, data: Float32Array, dims: readonly number[]) => unknown;
}

interface Session {
  inputNames: readonly string[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { data: unknown; type: string }>>;
  release(): Promise<void>;
}

/** What a worker of a page has, and Deno's types have not. */
interface PageWorker {
  crossOriginIsolated?: boolean;
  onmessage: (event: MessageEvent<PhotographRequest | WarmUpRequest>) => void;
  postMessage(answer: PhotographAnswer): void;
  OffscreenCanvas: new (width: number, height: number) => {
    getContext(kind: "2d", options: object): {
      fillStyle: string;
      fillRect(x: number, y: number, width: number, height: number): void;
      drawImage(image: ImageBitmap, x: number, y: number): void;
      getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray };
    };
  };
}

const thread = globalThis as unknown as PageWorker;
const RUNTIME = "ort.wasm.bundle.min.mjs", WASM = "ort-wasm-simd-threaded.wasm", MAX_THREADS = 4;
/** Devices that a photograph is tried on. */
const ATTEMPTS = 3;
const beside = (file: string) => new URL(file, import.meta.url).href;

/** Undefined until it is asked for, and when it was lost; null where there is none. */
let gpu: Gpu | null | undefined, runtime: Promise<Runtime> | undefined;
let space: { of: Gpu; opened: ReturnType<typeof openSpace> } | undefined,
  spaceFile: Promise<ArrayBuffer> | undefined;
let loaded: { file: string; session: Session } | undefined, last: Promise<void> = Promise.resolve();
/** Photographs that were asked for and are not answered. */
let waiting = 0;

thread.onmessage = ({ data }) => {
  if ("warmUp" in data) last = last.then(() => prepare(data.warmUp));
  else {
    waiting++;
    last = last.then(() => answer(data)).then(() => void waiting--);
  }
};

/** Warms up for a model's photographs, unless one waits; what goes wrong is said when there is one. */
async function prepare(model: LiveModel): Promise<void> {
  if (waiting > 0) return;
  try {
    const run = await modelRun(model);
    if (waiting > 0) return;
    if (gpu === undefined) gpu = await openDevice();
    await warmUp({ gpu, run, openSpace: savedSpace }, model);
  } catch { /* until a photograph comes */ }
}

async function answer({ id, photograph, name, model }: PhotographRequest): Promise<void> {
  const say = (step: object) => thread.postMessage({ id, ...step } as PhotographAnswer);
  try {
    const image = await decode(photograph, name);
    say({ kind: "progress", share: 0, text: `loading ${model.name}` });
    const run = await modelRun(model);
    for (let attempt = 1;; attempt++) {
      say({ kind: "progress", share: 0, text: `running ${model.name}` });
      const own = gpu === undefined ? gpu = await openDevice() : gpu;
      try {
        return await photographLayers({ gpu: own, run, openSpace: savedSpace }, model, image, name, say);
      } catch (error) {
        if (attempt === ATTEMPTS || gpu === own) throw error; // else the device was lost: again with another
      }
    }
  } catch (error) {
    say({ kind: "error", text: error instanceof Error ? error.message : String(error) });
  }
}

/** A device, or null; once it is lost, the next photograph opens another. */
async function openDevice(): Promise<Gpu | null> {
  const opened = await openGpu().catch(() => null); // the page has said that there is none
  opened?.device.lost.then(() => {
    if (gpu === opened) gpu = undefined;
  });
  return opened;
}

/** The space, on the device that there is now. */
async function savedSpace(own: Gpu): ReturnType<NonNullable<LiveMeans["openSpace"]>> {
  if (space?.of !== own) {
    spaceFile ??= fetch(beside("space.bin")).then((response) => {
      if (!response.ok) throw new Error("space.bin is missing: write the folder again.");
      return response.arrayBuffer();
    });
    space = { of: own, opened: openSpace(own, await spaceFile) };
  }
  return space.opened;
}

/** The photograph upright, its color profile unused, transparency over white: as `readImage` reads it. */
async function decode(photograph: Blob, name: string): Promise<RgbImage> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(photograph, { colorSpaceConversion: "none" });
  } catch {
    throw new Error(`${name} is not an image that this browser can read: give a PNG, JPEG or WebP file.`);
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) {
    throw new RangeError(
      `${name} is ${width} × ${height} pixels, more than ${MAX_PIXELS / 1e6} million: make it smaller.`,
    );
  }
  const context = new thread.OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const data = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    for (let c = 0; c < 3; c++) data[to++] = rgba[from + c];
  }
  return { width, height, data };
}

async function openRuntime(): Promise<Runtime> {
  const address = beside(RUNTIME), found: Runtime = await import(address);
  found.env.logLevel = "error";
  found.env.wasm.wasmPaths = { wasm: beside(WASM) };
  found.env.wasm.numThreads = thread.crossOriginIsolated
    ? Math.min(MAX_THREADS, navigator.hardwareConcurrency)
    : 1;
  return found;
}

async function modelRun({ name, file }: LiveModel): Promise<RunModel> {
  const { InferenceSession, Tensor } = await (runtime ??= openRuntime());
  if (loaded?.file !== file) {
    await loaded?.session.release();
    loaded = undefined;
    const session = await InferenceSession.create(beside(file), { executionProviders: ["wasm"] });
    loaded = { file, session };
  }
  const { session } = loaded, [input] = session.inputNames;
  return async (pixels, dims) => {
    const outputs = await session.run({ [input]: new Tensor("float32", pixels, dims) });
    return Object.fromEntries(
      Object.entries(outputs).map(([tensor, { data, type }]) => {
        if (data instanceof Float32Array || data instanceof Float16Array) return [tensor, data];
        if (type === "int64") return [tensor, []]; // of the model's own outputs, not of a layer
        throw new Error(`${name} gives ${tensor} as ${type}, expected float32 or float16.`);
      }),
    );
  };
}
