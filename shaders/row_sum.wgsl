// Σ_j x_ij of every row of a block, as Σ_j E_ij of the affinity less 1 (METHOD, "Spectral clustering").
//
// block   rows × 4·stride, row-major, rows padded with zeros
// out     rows sums, from `out_row` on
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row; long rows take several dispatches, each adding to the last.
// Order of reduction: in four interleaved sums runs of 16 vec4 ascending, 16 runs by themselves, and these; then
// (0 + 1) + (2 + 3). No chain of additions is long, which keeps the rounding error of sums of one sign small.

override WORKGROUP: u32 = 16;

const RUN: u32 = 16;
const RUNS: u32 = 256; // vec4 in 16 runs

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
  for (var runs = params.begin; runs < params.end; runs += RUNS) {
    var some = vec4f();
    for (var run = runs; run < min(runs + RUNS, params.end); run += RUN) {
      var part = vec4f();
      for (var k = run; k < min(run + RUN, params.end); k++) {
        part += block[first + k];
      }
      some += part;
    }
    total += some;
  }
  let sum = (total.x + total.y) + (total.z + total.w);
  let at = params.out_row + id.x;
  out[at] = select(out[at], 0, params.begin == 0) + sum;
}
