/** Running a compute shader: pipelines compiled once, parameters, recording, submitting. */
import { assertHealthy, type Gpu, guarded } from "./device.ts";
import { unrolled } from "./unroll.ts";

/** A compute shader. */
export interface Kernel {
  label: string;
  /** WGSL; its loops marked `// unrolled` are written out before it is compiled. */
  code: string;
  /** Default "main". */
  entryPoint?: string;
  /**
   * Whether SwiftShader's compiler is given its marked loops as they stand: it takes a sixth of the time then, and the kernel twice.
   */
  isLarge?: boolean;
}

/** One run of a kernel. */
export interface Dispatch {
  /** Buffers, parts of them, or textures, in binding order; the parameters follow them as a uniform. */
  buffers: (GPUBuffer | GPUBufferBinding | GPUTexture)[];
  /** Values of all fields of the shader's `struct Params`, by their names in camelCase. */
  params?: Record<string, number>;
  /** Pipeline constants. */
  overrides?: Record<string, number>;
  workgroups: [number, number?, number?];
  /** Sizes for error messages, as "4728 × 96 by 96 × 32". */
  sizes: string;
}

const SLOT_BYTES = 256; // the largest uniform offset alignment WebGPU allows
const SLOTS = 256;

function textOf(gpu: Gpu, { code, isLarge }: Kernel): string {
  return isLarge && /swiftshader/i.test(gpu.adapter.description) ? code : unrolled(code);
}

function moduleFor(gpu: Gpu, label: string, text: string): GPUShaderModule {
  const { modules } = gpu.state, known = modules.get(text);
  if (known) return known;
  const module = gpu.device.createShaderModule({ label, code: text });
  modules.set(text, module);
  return module;
}

function pipelineFor(gpu: Gpu, kernel: Kernel, { overrides = {}, sizes }: Dispatch): GPUComputePipeline {
  const key = `${kernel.label} ${JSON.stringify(overrides)}`;
  const cached = gpu.state.pipelines.get(key);
  if (cached) return cached;
  const text = textOf(gpu, kernel);
  const pipeline = guarded(
    gpu,
    () => `Compiling the kernel "${kernel.label}" (${sizes})`,
    () =>
      gpu.device.createComputePipeline({
        label: kernel.label,
        layout: "auto",
        compute: {
          module: moduleFor(gpu, kernel.label, text),
          entryPoint: kernel.entryPoint ?? "main",
          constants: overrides,
        },
      }),
    () => {
      gpu.state.pipelines.delete(key);
      gpu.state.modules.delete(text);
    },
  );
  gpu.state.pipelines.set(key, pipeline);
  return pipeline;
}

/** Fields of a shader's `struct Params`, all of them u32 or f32, in order. */
const fieldsOf = new Map<string, { name: string; isFloat: boolean }[]>();

function paramFields({ code }: Kernel): { name: string; isFloat: boolean }[] {
  const known = fieldsOf.get(code);
  if (known) return known;
  const body = /struct Params \{([^}]*)\}/.exec(code.replace(/\/\/.*/g, ""))?.[1] ?? "";
  const fields = [...body.matchAll(/(\w+): (u32|f32)/g)].map(([, name, type]) => ({
    name: name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()),
    isFloat: type === "f32",
  }));
  fieldsOf.set(code, fields);
  return fields;
}

/**
 * Writes parameters where the shader's `struct Params` has them.
 *
 * @throws RangeError naming a field that has no value, or a value that has no field
 */
function writeParams(kernel: Kernel, params: Record<string, number>, to: DataView): void {
  const fields = paramFields(kernel);
  if (fields.length * 4 > SLOT_BYTES) throw new RangeError("A kernel's parameters exceed 256 bytes.");
  fields.forEach(({ name, isFloat }, at) => {
    const value = params[name];
    if (value === undefined) {
      throw new RangeError(`The kernel "${kernel.label}" lacks its parameter ${name}.`);
    }
    if (isFloat) to.setFloat32(4 * at, value, true);
    else to.setUint32(4 * at, value, true);
  });
  if (Object.keys(params).length === fields.length) return;
  const unknown = Object.keys(params).find((name) => !fields.some((field) => field.name === name));
  throw new RangeError(`The kernel "${kernel.label}" has no parameter ${unknown}.`);
}

function nextParamSlot(
  gpu: Gpu,
  kernel: Kernel,
  values: Record<string, number>,
): { buffer: GPUBuffer; offset: number } {
  gpu.state.params ??= {
    buffer: gpu.device.createBuffer({ size: SLOTS * SLOT_BYTES, usage: 0x40 | 0x08, label: "params" }), // UNIFORM | COPY_DST
    staging: new Uint8Array(SLOTS * SLOT_BYTES),
    used: 0,
  };
  const params = gpu.state.params, offset = params.used * SLOT_BYTES;
  writeParams(kernel, values, new DataView(params.staging.buffer, offset, SLOT_BYTES));
  params.used++;
  return { buffer: params.buffer, offset };
}

function boundAs(data: GPUBuffer | GPUBufferBinding | GPUTexture): GPUBindingResource {
  return "createView" in data ? data.createView() : "buffer" in data ? data : { buffer: data };
}

function encoder(gpu: Gpu): GPUCommandEncoder {
  return gpu.state.encoder ??= gpu.device.createCommandEncoder();
}

/**
 * Records one dispatch of a kernel; it runs at the next flush, in the order recorded.
 *
 * @throws RangeError when the grid exceeds the adapter's workgroups per dimension
 */
export function dispatch(gpu: Gpu, kernel: Kernel, run: Dispatch): void {
  assertHealthy(gpu);
  const [x, y = 1, z = 1] = run.workgroups;
  const most = gpu.limits.workgroups;
  if (x > most || y > most || z > most) {
    throw new RangeError(
      `The kernel "${kernel.label}" (${run.sizes}) needs ${x} × ${y} × ${z} workgroups, the adapter allows ${most}.`,
    );
  }
  if (x * y * z === 0) return;
  const { device, state } = gpu;
  const what = () => `The kernel "${kernel.label}" (${run.sizes})`;
  const pipeline = pipelineFor(gpu, kernel, run);
  const slot = nextParamSlot(gpu, kernel, run.params ?? {});
  const group = guarded(gpu, what, () =>
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        ...run.buffers.map(boundAs),
        { buffer: slot.buffer, offset: slot.offset, size: SLOT_BYTES },
      ].map((resource, binding) => ({ binding, resource })),
    }));
  if (state.timer) {
    state.pass?.end();
    state.pass = encoder(gpu).beginComputePass(state.timer.passDescriptor(kernel.label));
  }
  state.pass ??= encoder(gpu).beginComputePass();
  state.pass.setPipeline(pipeline);
  state.pass.setBindGroup(0, group);
  state.pass.dispatchWorkgroups(x, y, z);
  state.recorded.push(`${kernel.label} (${run.sizes})`);
  if (state.params!.used === SLOTS) flush(gpu);
}

/** Records a copy between buffers. */
export function recordCopy(
  gpu: Gpu,
  from: GPUBuffer,
  to: GPUBuffer,
  toOffset: number,
  bytes: number,
  fromOffset = 0,
): void {
  gpu.state.pass?.end();
  gpu.state.pass = null;
  encoder(gpu).copyBufferToBuffer(from, fromOffset, to, toOffset, bytes);
}

/** Records a copy of `count` texels from a buffer, row by row, to the beginning of a texture that is `width` texels wide. */
export function recordTexels(
  gpu: Gpu,
  from: { buffer: GPUBuffer; offset: number; bytesPerRow: number },
  texture: GPUTexture,
  count: number,
  width: number,
): void {
  gpu.state.pass?.end();
  gpu.state.pass = null;
  const rows = Math.floor(count / width), rest = count % width;
  if (rows > 0) encoder(gpu).copyBufferToTexture(from, { texture }, [width, rows]);
  if (rest === 0) return;
  const last = { buffer: from.buffer, offset: from.offset + rows * from.bytesPerRow };
  encoder(gpu).copyBufferToTexture(last, { texture, origin: [0, rows] }, [rest, 1]);
}

/** Submits what was recorded; does not wait. */
export function flush(gpu: Gpu): void {
  const { device, state } = gpu;
  if (!state.encoder) return;
  state.pass?.end();
  const recorded = [...new Set(state.recorded.splice(0))];
  if (recorded.length > 0) state.running = recorded;
  const commands = state.encoder;
  state.pass = state.encoder = null;
  guarded(gpu, () => `Running ${recorded.join(", ") || "a copy"}`, () => {
    if (state.params?.used) {
      device.queue.writeBuffer(
        state.params.buffer,
        0,
        state.params.staging as BufferSource,
        0,
        state.params.used * SLOT_BYTES,
      );
      state.params.used = 0;
    }
    device.queue.submit([commands.finish()]);
  });
}
