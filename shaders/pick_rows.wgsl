// out_r = x_index(r): chosen rows of a matrix, one beneath the other.
//
// x       a panel of a matrix, rows of `stride` vec4
// chosen  rows of the whole matrix, any order, also repeated
// out     rows × stride
// params  see Params
//
// Dispatch: x = ⌈stride / WORKGROUP⌉, y = ⌈rows / EACH⌉ up to 65,535, z = the rest: an invocation copies one vec4 of EACH rows. Rows
// of other panels are left as they are. No reduction.

override WORKGROUP: u32 = 8;

const EACH: u32 = 16;

struct Params {
  rows: u32, // rows of out
  stride: u32, // vec4 per row
  first: u32, // number in the whole matrix of the first row that this panel holds
  panel_rows: u32, // rows that it holds
  panel_row: u32, // where in the panel they begin
  chosen_first: u32, // where the choice begins in `chosen`
  grid: u32, // of the grid along y
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> chosen: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let begin = (id.y + id.z * params.grid) * EACH;
  if (id.x >= params.stride) {
    return;
  }
  for (var row = begin; row < min(begin + EACH, params.rows); row++) {
    let source = chosen[params.chosen_first + row] - params.first; // wraps round where it is before this panel
    if (source < params.panel_rows) {
      out[row * params.stride + id.x] = x[(params.panel_row + source) * params.stride + id.x];
    }
  }
}
