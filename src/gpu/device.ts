/** Opening a WebGPU device: which adapter, which limits, what happens when the device is lost. */
import { assertKnown } from "./known_options.ts";

/**
 * How products are computed, the same values to the bit: "textures" reads operands as textures, which is what software
 * adapters are fast at; "shared" keeps blocks in workgroup memory, for cards; "registers" does neither.
 */
export type Variant = "textures" | "shared" | "registers";

/** All forms of the kernels. */
export const VARIANTS: readonly Variant[] = ["textures", "shared", "registers"];

/** Options of `openGpu`. */
export interface GpuOptions {
  /** Take only a hardware or only a software adapter; by default hardware is tried first. */
  adapter?: "hardware" | "software";
  /** Largest storage binding to use, bytes; never above the adapter's own. Smaller values force row panels. */
  bindingBytes?: number;
}

/** The adapter behind a `Gpu`. */
export interface AdapterSummary {
  /** Its name as the driver gives it. */
  description: string;
  /** Its maker, or an empty text. */
  vendor: string;
  /** Whether it computes on the processor. */
  software: boolean;
}

/** Commands recorded and not yet submitted, and what is known of the device's health. */
export interface GpuState {
  /** What is recorded and not yet submitted. */
  encoder: GPUCommandEncoder | null;
  /** The open pass of that encoder. */
  pass: GPUComputePassEncoder | null;
  /** Kernels in the open encoder, for error messages. */
  recorded: string[];
  /** Kernels that were submitted last and are not known to have ended, for error messages. */
  running: string[];
  /** Uniform parameters of the recorded dispatches, in slots of one buffer. */
  params: { buffer: GPUBuffer; staging: Uint8Array; used: number } | null;
  /** Shader modules by their text. */
  modules: Map<string, GPUShaderModule>;
  /** Compiled kernels by label and overrides. */
  pipelines: Map<string, GPUComputePipeline>;
  /** Released buffers and textures by what they can hold: bytes of each, and those that are free. */
  pool: Map<string, { bytes: number; free: (GPUBuffer | GPUTexture)[] }>;
  /** Buffers and textures that are handed out. */
  inUse: Set<GPUBuffer | GPUTexture>;
  /** Error scopes under way; awaited at every read-back. */
  scopes: Promise<void>[];
  /** What first went wrong; later calls throw it, those of a kernel or an allocation until nobody is at work any more. */
  failure: Error | null;
  /** Whether a call has thrown it. */
  isReported: boolean;
  /** How many failures were left behind: what is heard late of work before the last of them is no news. */
  era: number;
  /** Set while kernels are timed. */
  timer: KernelTimer | null;
}

/** Hook by which `src/gpu/timing.ts` times single dispatches. */
export interface KernelTimer {
  /** A pass that writes timestamps around one dispatch of the kernel. */
  passDescriptor(label: string): GPUComputePassDescriptor;
}

/** An open device and all that belongs to it. Make one with `openGpu`; it is freed at the end of a `using` block, or by `closeGpu`. */
export interface Gpu extends Disposable {
  /** The WebGPU device. */
  readonly device: GPUDevice;
  /** Where it runs. */
  readonly adapter: AdapterSummary;
  /** Optional features that the device has, of those that the toolkit knows to use. */
  readonly features: ReadonlySet<string>;
  /** Limits the toolkit works within, bytes and counts. */
  readonly limits: { bindingBytes: number; bufferBytes: number; workgroups: number };
  /** Which form of the kernels runs. */
  readonly variant: Variant;
  /** Bytes of GPU buffers: handed out now, at the highest point, and held in all (free ones included). */
  readonly memory: { inUse: number; peak: number; held: number };
  /** What is recorded, cached and known to have failed; for `src/gpu` only. */
  readonly state: GpuState;
}

const NO_ADAPTER = globalThis.navigator?.userAgent?.startsWith("Deno/")
  ? "install a Vulkan driver (Debian/Ubuntu: apt-get install mesa-vulkan-drivers libvulkan1)"
  : "turn on graphics acceleration in the settings of this browser, or take one that has WebGPU for this machine";
const WANTED_FEATURES = ["timestamp-query", "shader-f16", "subgroups"];
const SOFTWARE_NAMES = /llvmpipe|lavapipe|swiftshader|softpipe|basic render|warp/i;

/** Whether this runtime's WGSL can read what the kernels that take textures read. */
export function readsTextures(): boolean {
  const { wgslLanguageFeatures } = navigator.gpu as { wgslLanguageFeatures?: ReadonlySet<string> };
  return wgslLanguageFeatures?.has("readonly_and_readwrite_storage_textures") ?? false;
}

function summarize(adapter: GPUAdapter): AdapterSummary {
  const { description, device, vendor, architecture } = adapter.info;
  const name = description || device || `${vendor} ${architecture}`.trim() || "unnamed adapter"; // browsers hide the first two
  return {
    description: name,
    vendor,
    software: SOFTWARE_NAMES.test(name) || adapter.info.isFallbackAdapter === true,
  };
}

async function chooseAdapter(wanted: GpuOptions["adapter"]): Promise<GPUAdapter> {
  const gpu = globalThis.navigator?.gpu;
  if (!gpu) {
    if ((globalThis as { isSecureContext?: boolean }).isSecureContext === false) {
      throw new Error(
        "This page has no WebGPU, because it came over plain http: open it from https:// or localhost.",
      );
    }
    throw new Error("This runtime has no WebGPU: run it with Deno 2.9 or a browser that has navigator.gpu.");
  }
  const requests: GPURequestAdapterOptions[] = wanted === "software"
    ? [{ forceFallbackAdapter: true }, {}]
    : [{ powerPreference: "high-performance" }, { forceFallbackAdapter: true }];
  const seen: string[] = [];
  for (const request of requests) {
    const adapter = await gpu.requestAdapter(request);
    if (!adapter) continue;
    const summary = summarize(adapter);
    if (!wanted || (wanted === "software") === summary.software) return adapter;
    seen.push(summary.description);
  }
  if (seen.length) {
    throw new Error(
      `No ${wanted} adapter: WebGPU offers only "${seen[0]}"; leave out --adapter ${wanted} to use it.`,
    );
  }
  throw new Error(`No WebGPU adapter was found: ${NO_ADAPTER}.`);
}

/**
 * Opens a WebGPU device with every limit raised to what the adapter offers.
 *
 * @param options adapter kind and binding limit; see `GpuOptions`
 * @returns the device with its pools and counters
 * @throws Error "No WebGPU adapter was found: install a Vulkan driver …" where there is none
 *
 * @example
 * ```ts
 * import { openGpu } from "../../mod.ts";
 * using gpu = await openGpu();
 * console.log(gpu.adapter.description);
 * ```
 */
export async function openGpu(options: GpuOptions = {}): Promise<Gpu> {
  assertKnown("openGpu", options, { adapter: true, bindingBytes: true });
  const adapter = await chooseAdapter(options.adapter);
  const features = WANTED_FEATURES.filter((name) => adapter.features.has(name as GPUFeatureName));
  const requiredLimits: Record<string, number> = {};
  for (const name in adapter.limits) {
    const value = (adapter.limits as unknown as Record<string, unknown>)[name];
    if (typeof value === "number") requiredLimits[name] = value;
  }
  const device = await adapter.requestDevice({
    requiredFeatures: features as GPUFeatureName[],
    requiredLimits,
  });
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupsPerDimension } = device.limits;
  const bufferBytes = Math.floor(maxBufferSize / 65536) * 65536; // buffers come in steps of 64 KiB
  const largest = Math.min(Math.floor(maxStorageBufferBindingSize / 65536) * 65536, bufferBytes);
  const bindingBytes = Math.min(options.bindingBytes ?? largest, largest);
  if (!(bindingBytes >= 4096)) {
    throw new RangeError(
      `bindingBytes is ${options.bindingBytes}: a storage binding needs at least 4096 bytes.`,
    );
  }
  const summary = summarize(adapter);
  const gpu: Gpu = {
    device,
    adapter: summary,
    variant: !summary.software ? "shared" : readsTextures() ? "textures" : "registers",
    features: new Set(features),
    limits: { bindingBytes, bufferBytes, workgroups: maxComputeWorkgroupsPerDimension },
    memory: { inUse: 0, peak: 0, held: 0 },
    state: {
      encoder: null,
      pass: null,
      recorded: [],
      running: [],
      params: null,
      modules: new Map(),
      pipelines: new Map(),
      pool: new Map(),
      inUse: new Set(),
      scopes: [],
      failure: null,
      isReported: false,
      era: 0,
      timer: null,
    },
    [Symbol.dispose]() {
      closeGpu(gpu);
    },
  };
  device.lost.then((info) => {
    const reason = info.message ? `: ${info.message.trim()}` : "", kernels = gpu.state.running.slice(-3);
    const during = kernels.length > 0 ? ` while running ${kernels.join(", ")}` : "";
    gpu.state.failure ??= new Error(
      `The GPU device was lost (${
        info.reason ?? "unknown"
      }${reason})${during}: open a new one and run again; stages already stored are kept.`,
    );
  });
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault?.();
    gpu.state.failure ??= new Error(
      `The GPU reported an error outside any kernel: ${(event as GPUUncapturedErrorEvent).error.message}`,
    );
  });
  return gpu;
}

/** The device had no memory for something: smaller parts of the work may fit. */
export class OutOfMemory extends Error {
  /** "OutOfMemory". */
  override name = "OutOfMemory";
}

/** A kernel that does not compile or cannot run: the device is as good as before. */
class KernelFailure extends Error {}

/** Throws what went wrong with the device, if anything did. */
export function assertHealthy({ state }: Gpu): void {
  if (!state.failure) return;
  state.isReported = true;
  throw state.failure;
}

/**
 * Begins anew after a kernel or an allocation that failed, where that was reported and nothing is handed out: whoever was at work
 * has ended, so that none goes on with values that were never computed.
 */
export function leaveFailureBehind(gpu: Gpu): void {
  const { state } = gpu, { failure } = state;
  if (!(failure instanceof KernelFailure || failure instanceof OutOfMemory)) return;
  if (!state.isReported || state.inUse.size > 0) return;
  state.pass?.end();
  state.pass = state.encoder = state.failure = null;
  state.isReported = false;
  state.era++;
  state.recorded = [];
  if (state.params) state.params.used = 0;
  destroyFree(gpu);
}

/**
 * Runs `work` inside error scopes; an error becomes the device's failure, with `what` naming kernel and sizes, and `undo` forgets
 * what was made.
 */
export function guarded<T>(gpu: Gpu, what: () => string, work: () => T, undo?: () => void): T {
  const { device, state } = gpu;
  const kinds: GPUErrorFilter[] = ["validation", "out-of-memory", "internal"], { era } = state;
  for (const kind of kinds) device.pushErrorScope(kind);
  try {
    return work();
  } finally {
    for (const kind of kinds.reverse()) {
      state.scopes.push(
        device.popErrorScope().then((error) => {
          if (error) undo?.();
          if (!error || era !== state.era) return;
          state.failure ??= kind === "out-of-memory"
            ? new OutOfMemory(`${what()}: not enough GPU memory; use fewer nodes or landmarks.`)
            : new KernelFailure(
              `${what()}: ${error.message.replace(/\s+/g, " ").trim().replace(/\.?$/, ".")}`,
            );
        }, () => {}),
      );
    }
  }
}

/**
 * Frees every buffer, every texture and the device.
 *
 * @param gpu cannot be used afterwards: "This GPU was closed: open another with openGpu()."
 */
export function closeGpu(gpu: Gpu): void {
  const { state } = gpu;
  state.failure ??= new Error("This GPU was closed: open another with openGpu().");
  state.pass?.end();
  state.pass = state.encoder = null;
  destroyFree(gpu);
  gpu.device.destroy();
}

/** Destroys the buffers and textures that nobody holds. */
export function destroyFree(gpu: Gpu): void {
  for (const { bytes, free } of gpu.state.pool.values()) {
    for (const data of free) {
      data.destroy();
      gpu.memory.held -= bytes;
    }
  }
  gpu.state.pool.clear();
}
