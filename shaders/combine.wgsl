// out = α w + β y + γ z, value by value: the three-term recurrence of the Chebyshev filter, and sums of matrices.
//
// w, y, z  operands of equal shape; each may be the same buffer as another
// out      may not be one of them
// params   see Params
//
// Dispatch: invocations over vec4, laid out on a grid `width` wide. No reduction.

override WORKGROUP: u32 = 16;

struct Params {
  size: u32, // vec4 in each operand
  width: u32, // invocations along x
  alpha: f32,
  beta: f32,
  gamma: f32,
}

@group(0) @binding(0) var<storage, read> w: array<vec4f>;
@group(0) @binding(1) var<storage, read> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> z: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * params.width + id.x;
  if (i >= params.size) {
    return;
  }
  out[i] = params.alpha * w[i] + params.beta * y[i] + params.gamma * z[i];
}
