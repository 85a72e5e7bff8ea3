// d_i = Σ_j A_ij, the degree of every row of a block of the affinity (METHOD, "Spectral clustering").
//
// block   rows × 4·stride, row-major, rows padded with zeros
// out     rows sums, from `out_row` on
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row; long rows take several dispatches, each adding to the last.
// Order of reduction: runs of 64 vec4 ascending, each summed by itself and then added, in four interleaved sums, then
// (0 + 1) + (2 + 3); the runs keep the rounding error of a long row small.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  out_row: u32, // first entry of out
  begin: u32, // vec4 of a row to add up: from here …
  end: u32, // … to before here
}

@group(0) @binding(0) var<storage, read> block: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let first = id.x * params.stride;
  var total = vec4f();
  for (var run = params.begin; run < params.end; run += RUN) {
    var part = vec4f();
    for (var k = run; k < min(run + RUN, params.end); k++) {
      part += block[first + k];
    }
    total += part;
  }
  let sum = (total.x + total.y) + (total.z + total.w);
  let at = params.out_row + id.x;
  out[at] = select(out[at], 0, params.begin == 0) + sum;
}
