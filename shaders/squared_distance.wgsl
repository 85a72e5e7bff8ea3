// −‖x_i − y_j‖², a block of rows against a block of rows: the closer, the larger.
//
// x       n × 4·depth, rows padded with zeros
// y       m × 4·depth, likewise
// out     rows padded to a multiple of 4 columns; columns beyond the last hold the lowest float
// params  extents and offsets, see Params
//
// Dispatch: x = ⌈rows / 8 / WORKGROUP⌉, y = ⌈columns / 4⌉. One invocation computes 8 × 4 values in registers.
// Order of reduction: channels ascending in four interleaved sums, then (0 + 1) + (2 + 3); 1024 channels a dispatch, whose
// sums are added up.

override WORKGROUP: u32 = 8;

const LOWEST: f32 = -3.4e38;
const ROWS: u32 = 8; // that an invocation computes

struct Params {
  rows: u32, // rows of the block
  cols: u32, // columns of the block
  depth: u32, // vec4 per row of x and y
  out_stride: u32, // vec4 per row of out
  x_row: u32, // first row of x
  y_row: u32, // first row of y
  out_row: u32, // first row of out
  out_col: u32, // first column of out, in vec4
  begin: u32, // vec4 of a row to look at: from here …
  end: u32, // … to before here
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> y: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x * ROWS;
  let j = id.y * 4;
  if (i >= params.rows || j >= params.cols) {
    return;
  }
  var sums: array<mat4x4f, ROWS>; // the sums of four columns
  for (var k = params.begin; k < params.end; k++) {
    var v: array<vec4f, 4>;
    for (var c = 0u; c < 4; c++) { // unrolled
      v[c] = y[(params.y_row + min(j + c, params.cols - 1)) * params.depth + k];
    }
    for (var r = 0u; r < ROWS; r++) { // unrolled
      let u = x[(params.x_row + min(i + r, params.rows - 1)) * params.depth + k];
      for (var c = 0u; c < 4; c++) { // unrolled
        let difference = u - v[c];
        sums[r][c] = fma(difference, difference, sums[r][c]);
      }
    }
  }
  let inside = vec4u(j, j + 1, j + 2, j + 3) < vec4u(params.cols);
  for (var r = 0u; r < ROWS; r++) { // unrolled
    if (i + r < params.rows) {
      let t = transpose(sums[r]);
      let at = (params.out_row + i + r) * params.out_stride + params.out_col + j / 4;
      var value = -((t[0] + t[1]) + (t[2] + t[3]));
      if (params.begin > 0) {
        value += out[at];
      }
      out[at] = select(vec4f(LOWEST), value, inside);
    }
  }
}
