/** How a WebGPU computes, where WGSL leaves it open: measured, not asked. */
import {
  allocate,
  closeGpu,
  dispatch,
  type Gpu,
  type Kernel,
  openGpu,
  readBuffers,
  release,
  writeBuffer,
} from "../../src/gpu/mod.ts";

/** Functions of x and y, as WGSL writes them, whose values are compared. */
const FUNCTIONS = {
  "x * y": "x * y",
  "x + y": "x + y",
  "x / y": "x / y",
  "sqrt(x)": "sqrt(x)",
  "exp(x)": "exp(x)",
  "log(x)": "log(x)",
  "fma(x, y, −1)": "fma(x, y, -1.0)",
  "x * y − 1": "x * y - 1.0",
  "x == x": "f32(x == x)",
  "max(x, y)": "max(x, y)",
  "min(x, y)": "min(x, y)",
  "sign(x)": "sign(x)",
  "u32(x)": "f32(u32(x))",
  "bits of x": "bitcast<f32>(bitcast<u32>(x))",
  "inputs[x]": "inputs[u32(x)].x",
} as const;

type Name = keyof typeof FUNCTIONS;

/** f(x, y) of every pair, as the device has it. */
async function valuesOf(
  gpu: Gpu,
  name: Name,
  pairs: readonly (readonly [number, number])[],
): Promise<Float32Array> {
  const n = pairs.length;
  const code = `struct Params { n: u32 }
@group(0) @binding(0) var<storage, read> inputs: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> outputs: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.n) { return; }
  let x = inputs[id.x].x;
  let y = inputs[id.x].y;
  outputs[id.x] = ${FUNCTIONS[name]};
}`;
  const kernel: Kernel = { label: name, code };
  const inputs = allocate(gpu, 8 * n, "inputs"), outputs = allocate(gpu, 4 * n, "outputs");
  try {
    writeBuffer(gpu, inputs, Float32Array.from(pairs.flat()));
    const buffers = [{ buffer: inputs, offset: 0, size: 8 * n }, outputs];
    dispatch(gpu, kernel, { buffers, params: { n }, workgroups: [Math.ceil(n / 64)], sizes: `${n} pairs` });
    const [values] = await readBuffers(gpu, [{ buffer: outputs, bytes: 4 * n }]);
    return new Float32Array(values);
  } finally {
    release(gpu, inputs);
    release(gpu, outputs);
  }
}

/** Distance between two float32 numbers of one sign that lie next to each other. */
function ulp(value: number): number {
  return 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(value)))) - 23);
}

/** Largest error of a function over pairs, in units of the last place of the true value. */
async function worstUlp(
  gpu: Gpu,
  name: Name,
  pairs: readonly (readonly [number, number])[],
  truth: (x: number, y: number) => number,
): Promise<number> {
  const values = await valuesOf(gpu, name, pairs);
  return Math.max(...pairs.map(([x, y], i) => {
    const exact = truth(x, y);
    return Math.abs(values[i] - exact) / ulp(exact);
  }));
}

/** Numbers spread evenly from `from` to `to`, as float32. */
function spread(from: number, to: number, count = 4096): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(from + (to - from) * (i + 0.37) / count));
}

/** One fact: its question, and the answer. */
export interface Fact {
  question: string;
  answer: string;
}

const TINY = 2 ** -140, HUGE = Math.fround(3e38);

/** Measures all facts. */
export async function wgslFacts(gpu: Gpu): Promise<Fact[]> {
  const facts: Fact[] = [];
  const add = (question: string, answer: string | number) => facts.push({ question, answer: String(answer) });
  const wave = spread(0.5, 2).map((x, i) => [x, Math.fround(1 + Math.sin(i) / 2)] as const);
  const single = (xs: number[]) => xs.map((x) => [x, 0] as const);
  const errors: [Name, string, readonly (readonly [number, number])[], (x: number, y: number) => number][] = [
    ["x * y", "", wave, (x, y) => x * y],
    ["x + y", "", wave, (x, y) => x + y],
    ["x / y", "", wave, (x, y) => x / y],
    ["sqrt(x)", "", single(spread(0, 100)), Math.sqrt],
    ["exp(x)", " for −2 ≤ x ≤ 0", single(spread(-2, 0)), Math.exp],
    ["exp(x)", " for −80 ≤ x ≤ −2", single(spread(-80, -2)), Math.exp],
    ["log(x)", " for 2 ≤ x ≤ 1000", single(spread(2, 1000)), Math.log],
  ];
  for (const [name, where, pairs, truth] of errors) {
    add(`error of ${name}${where}, ulp`, (await worstUlp(gpu, name, pairs, truth)).toFixed(2));
  }
  const e = Math.fround(1 + 2 ** -23),
    at = async (name: Name, x: number, y = 0) => (await valuesOf(gpu, name, [[x, y]]))[0];
  const rounding = (value: number) => value === 2 * (2 ** -23) + 2 ** -46 ? "once" : "twice";
  add("fma(x, y, −1) rounds", rounding(await at("fma(x, y, −1)", e, e)));
  add("x * y − 1 rounds", rounding(await at("x * y − 1", e, e)));
  const subnormal = async (name: Name, x: number, y: number) => await at(name, x, y) === 0 ? "0" : "kept";
  add("2⁻¹⁴⁰ copied", await subnormal("bits of x", TINY, 0));
  add("2⁻¹⁴⁰ + 0", await subnormal("x + y", TINY, 0));
  add("2⁻¹⁰⁰ × 2⁻⁴⁰", await subnormal("x * y", 2 ** -100, 2 ** -40));
  add("exp(−95)", await subnormal("exp(x)", -95, 0));
  add("exp(−200)", await at("exp(x)", -200));
  add("exp(200)", await at("exp(x)", 200));
  add("3e38 × 10", await at("x * y", HUGE, 10));
  add("1 / 0", await at("x / y", 1, 0));
  add("log(0)", await at("log(x)", 0));
  add("sqrt(−1)", await at("sqrt(x)", -1));
  add("∞ − ∞", await at("x + y", Infinity, -Infinity));
  add("NaN == NaN", await at("x == x", NaN) ? "true" : "false");
  add("max(NaN, 1), max(1, NaN)", `${await at("max(x, y)", NaN, 1)}, ${await at("max(x, y)", 1, NaN)}`);
  add("min(NaN, 1), min(1, NaN)", `${await at("min(x, y)", NaN, 1)}, ${await at("min(x, y)", 1, NaN)}`);
  add(
    "sign(NaN), sign(−0)",
    `${await at("sign(x)", NaN)}, ${Object.is(await at("sign(x)", -0), -0) ? "−0" : "0"}`,
  );
  add(
    "u32(−1), u32(5e9), u32(NaN)",
    [await at("u32(x)", -1), await at("u32(x)", 5e9), await at("u32(x)", NaN)].join(", "),
  );
  const outside = await valuesOf(gpu, "inputs[x]", [[7, 0], [1e6, 0], [5, 0]]); // entries 7 and 1e6 of three
  add(
    "reading past the end of a buffer",
    outside[0] === 0 && outside[1] === 0 ? "0" : outside[0] === 5 ? "the last entry" : `${outside}`,
  );
  return facts;
}

/** Limits and features of an adapter that decide what fits and what may be used. */
export async function adapterFacts(): Promise<Fact[]> {
  const adapter = (await navigator.gpu.requestAdapter())!, { limits, features } = adapter;
  const language = (navigator.gpu as { wgslLanguageFeatures?: ReadonlySet<string> }).wgslLanguageFeatures;
  const count = (name: keyof GPUSupportedLimits) => ({
    question: name,
    answer: Number(limits[name]).toLocaleString("en"),
  });
  const has = (name: string) => ({
    question: name,
    answer: features.has(name as GPUFeatureName) || language?.has(name) ? "yes" : "no",
  });
  return [
    count("maxStorageBufferBindingSize"),
    count("maxBufferSize"),
    count("maxStorageBuffersPerShaderStage"),
    count("maxStorageTexturesPerShaderStage"),
    count("maxComputeWorkgroupStorageSize"),
    count("maxComputeInvocationsPerWorkgroup"),
    count("maxTextureDimension2D"),
    has("timestamp-query"),
    has("shader-f16"),
    has("subgroups"),
    has("float32-filterable"),
    has("readonly_and_readwrite_storage_textures"),
  ];
}

/** All facts of this runtime's first adapter, its name first. */
export async function everyFact(): Promise<Fact[]> {
  const gpu = await openGpu();
  const facts = [
    { question: "adapter", answer: gpu.adapter.description },
    ...await wgslFacts(gpu),
    ...await adapterFacts(),
  ];
  closeGpu(gpu);
  return facts;
}
