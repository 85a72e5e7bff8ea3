// Σ_j x_ij of every row, as Σ_j E_ij of the affinity less 1 (METHOD, "Spectral clustering"); with HALF_SQUARES
//   h_i = ½ x_i · x_i,
// summed in the order in which affinity makes x_i · x_j: of equal rows x_i · x_j − (h_i + h_j) is 0 to the bit.
//
// x       rows × 4·stride, row-major, rows padded with zeros
// out     one value a row, from `out_row` on
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row; long rows take several dispatches, each adding to the last.
// Order of reduction: in four interleaved sums runs of 16 vec4 ascending, 16 runs by themselves, and these; then
// (0 + 1) + (2 + 3). No chain of additions is long, which keeps the rounding error of sums of one sign small.
// With HALF_SQUARES: slices of 1024 channels one after the other; in each, channels ascending.

override HALF_SQUARES: bool = false;
override WORKGROUP: u32 = 16;

const RUN: u32 = 16;
const SLICE: u32 = 256; // vec4 in 16 runs, or whose products are added up before they join the rest

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
  let before = select(out[at], 0, params.begin == 0);
  if (HALF_SQUARES) {
    var total = 2 * before;
    for (var slice = params.begin; slice < params.end; slice += SLICE) {
      var sum = 0.0;
      for (var k = slice; k < min(slice + SLICE, params.end); k++) {
        let v = x[first + k];
        sum = fma(v.w, v.w, fma(v.z, v.z, fma(v.y, v.y, fma(v.x, v.x, sum))));
      }
      total += sum;
    }
    out[at] = 0.5 * total;
    return;
  }
  var total = vec4f();
  for (var slice = params.begin; slice < params.end; slice += SLICE) {
    var sum = vec4f();
    for (var run = slice; run < min(slice + SLICE, params.end); run += RUN) {
      var part = vec4f();
      for (var k = run; k < min(run + RUN, params.end); k++) {
        part += x[first + k];
      }
      sum += part;
    }
    total += sum;
  }
  out[at] = before + ((total.x + total.y) + (total.z + total.w));
}
