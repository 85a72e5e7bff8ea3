// d_i = Σ_j A_ij, the degree of every row of a block of the affinity (METHOD, "Spectral clustering").
//
// block   rows × 4·stride, row-major, rows padded with zeros
// halves  the same buffer, read instead with SIXTEEN: each value a as round(65535 a) in 16 bits, two in a word, the first
//         in its low half
// out     rows sums, from `out_row` on
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row; long rows take several dispatches, each adding to the last.
// Order of reduction: runs of 64 vec4 ascending, each summed by itself and then added, in four interleaved sums, then
// (0 + 1) + (2 + 3); the runs keep the rounding error of a long row small.

override WORKGROUP: u32 = 16;
override SIXTEEN: bool = false;

const RUN: u32 = 64;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  out_row: u32, // first entry of out
  begin: u32, // vec4 of a row to add up: from here …
  end: u32, // … to before here
}

@group(0) @binding(0) var<storage, read> block: array<vec4f>;
@group(0) @binding(1) var<storage, read> halves: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// The vec4 number `at` of the block.
fn four(at: u32) -> vec4f {
  if (SIXTEEN) {
    // as unpack2x16unorm, without its division
    let pair = halves[at];
    return vec4f(vec4i(vec4u(pair.x & 65535, pair.x >> 16, pair.y & 65535, pair.y >> 16))) * (1 / 65535.0);
  }
  return block[at];
}

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
      part += four(first + k);
    }
    total += part;
  }
  let sum = (total.x + total.y) + (total.z + total.w);
  let at = params.out_row + id.x;
  out[at] = select(out[at], 0, params.begin == 0) + sum;
}
