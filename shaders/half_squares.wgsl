// h_i = ½ w_i · w_i for every row, the sums in the order in which affinity makes w_i · w_j: of equal rows
// w_i · w_j − (h_i + h_j) is 0 to the bit.
//
// x       rows w_i, row-major, padded with zeros to a multiple of 4
// out     h, one a row, from `out_row` on
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row; long rows take several dispatches, each adding to the last.
// Order of reduction: slices of 1024 channels one after the other; in each, channels ascending.

override WORKGROUP: u32 = 16;

const SLICE: u32 = 256; // vec4 whose products are added up before they join the rest

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  row: u32, // first row of x
  out_row: u32, // first entry of out
  begin: u32, // vec4 of a row to add up: from here, a multiple of SLICE, …
  end: u32, // … to before here
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let first = (params.row + id.x) * params.stride;
  let at = params.out_row + id.x;
  var total = 2 * select(out[at], 0, params.begin == 0);
  for (var slice = params.begin; slice < params.end; slice += SLICE) {
    var sum = 0.0;
    for (var k = slice; k < min(slice + SLICE, params.end); k++) {
      let v = x[first + k];
      sum = fma(v.w, v.w, fma(v.z, v.z, fma(v.y, v.y, fma(v.x, v.x, sum))));
    }
    total += sum;
  }
  out[at] = 0.5 * total;
}
