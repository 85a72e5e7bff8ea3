// out_ic = s_i (x_ic + c r_c): with ADDS one row r is added to every row of x, as for nodes less their mean; with SCALES every
// row is multiplied by its own factor, as D^−½ A D^−½ wants before and after the product with A.
//
// x       rows × 4·stride
// row     r, 4·stride values; any buffer without ADDS
// s       one factor a row; any buffer without SCALES
// out     the same shape as x, may not be x itself
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, y = ⌈stride / RUN⌉; one invocation RUN vec4 of one row. No reduction.

override ADDS: bool = false;
override SCALES: bool = false;
override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  coefficient: f32, // c
  first: u32, // factor of the first row
  x_row: u32, // first row of x
  out_row: u32, // first row of out
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> row: array<vec4f>;
@group(0) @binding(2) var<storage, read> s: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let source = (params.x_row + id.x) * params.stride;
  let place = (params.out_row + id.x) * params.stride;
  var factor = 1.0;
  if (SCALES) {
    factor = s[params.first + id.x];
  }
  for (var k = id.y * RUN; k < min((id.y + 1) * RUN, params.stride); k++) {
    var value = x[source + k];
    if (ADDS) {
      value += params.coefficient * row[k];
    }
    out[place + k] = factor * value;
  }
}
