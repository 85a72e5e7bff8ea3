// out = x + c · r with the one row r added to every row of x: nodes less their mean, and gradients that are equal for all
// nodes.
//
// x      rows × 4·stride
// row    4·stride values
// out    the same shape as x, may not be x itself
// params see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, y = ⌈stride / RUN⌉; one invocation RUN vec4 of one row. No reduction.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  coefficient: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> row: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  for (var k = id.y * RUN; k < min((id.y + 1) * RUN, params.stride); k++) {
    let at = id.x * params.stride + k;
    out[at] = x[at] + params.coefficient * row[k];
  }
}
