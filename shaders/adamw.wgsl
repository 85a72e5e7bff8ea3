// One step of AdamW (Loshchilov & Hutter 2019), value by value and in place:
//   m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,
//   w ← w − rate · (m / c₁ / (√(v / c₂) + 1e-8) + decay · w),  c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ.
//
// gradient g
// value    w
// first    m, the running mean of g
// second   v, the running mean of g²
// params   see Params
//
// Dispatch: invocations over vec4, laid out on a grid `width` wide. No reduction.

override WORKGROUP: u32 = 16;

const FLOOR = 1e-8;

struct Params {
  size: u32, // vec4 in each operand
  width: u32, // invocations along x
  rate: f32,
  beta1: f32,
  beta2: f32,
  rest1: f32, // 1 − β₁, which float32 could not tell well from β₁
  rest2: f32, // 1 − β₂
  decay: f32,
  correction1: f32,
  correction2: f32,
}

@group(0) @binding(0) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> value: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> first: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> second: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * params.width + id.x;
  if (i >= params.size) {
    return;
  }
  let g = gradient[i];
  let m = params.beta1 * first[i] + params.rest1 * g;
  let v = params.beta2 * second[i] + params.rest2 * g * g;
  first[i] = m;
  second[i] = v;
  let step = m / params.correction1 / (sqrt(v / params.correction2) + FLOOR);
  value[i] -= params.rate * (step + params.decay * value[i]);
}
