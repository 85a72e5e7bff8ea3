// out_ic = s_i x_ic: every row times its own factor, as D^−½ A D^−½ wants before and after the product with A.
//
// x       rows × 4·stride
// s       one factor a row
// out     the same shape as x, may not be x itself
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, y = ⌈stride / RUN⌉; one invocation RUN vec4 of one row. No reduction.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  first: u32, // factor of the first row
  x_row: u32, // first row of x
  out_row: u32, // first row of out
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> s: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let factor = s[params.first + id.x];
  let source = (params.x_row + id.x) * params.stride;
  let place = (params.out_row + id.x) * params.stride;
  for (var k = id.y * RUN; k < min((id.y + 1) * RUN, params.stride); k++) {
    out[place + k] = factor * x[source + k];
  }
}
