// x̂_i = x_i / ‖x_i‖ for every row.
//
// x       rows × 4·stride, rows padded with zeros
// out     the same shape, may not be x itself
// norms   largest magnitude and sum of squares of every row, from one dispatch to the next; of one entry else
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row; long rows take several dispatches, part by part, for each of the
// three steps. The row is divided by its largest magnitude first, so that squares neither overflow nor vanish. Order of
// reduction: channels ascending in four interleaved sums, in runs of 64 vec4 that are added up; the sums as
// (0 + 1) + (2 + 3), the parts ascending.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;
const LARGEST: u32 = 1;
const SQUARES: u32 = 2;
const SCALE: u32 = 4;
const ALL: u32 = 7;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  begin: u32, // vec4 of a row to look at: from here …
  end: u32, // … to before here
  steps: u32, // LARGEST, SQUARES and SCALE, or ALL
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> norms: array<vec2f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let first = id.x * params.stride;
  let is_continued = params.steps != ALL && !(params.steps == LARGEST && params.begin == 0);
  var norm = vec2f();
  if (is_continued) {
    norm = norms[id.x];
  }
  if ((params.steps & LARGEST) > 0) {
    var largest = vec4f();
    for (var k = params.begin; k < params.end; k++) {
      largest = max(largest, abs(x[first + k]));
    }
    norm.x = max(norm.x, max(max(largest.x, largest.y), max(largest.z, largest.w)));
  }
  if ((params.steps & SQUARES) > 0) {
    var squares = vec4f();
    for (var run = params.begin; run < params.end; run += RUN) {
      var part = vec4f();
      for (var k = run; k < min(run + RUN, params.end); k++) {
        let v = x[first + k] / norm.x;
        part = fma(v, v, part);
      }
      squares += part;
    }
    norm.y += (squares.x + squares.y) + (squares.z + squares.w);
  }
  if ((params.steps & SCALE) > 0) {
    let length = sqrt(norm.y);
    for (var k = params.begin; k < params.end; k++) {
      out[first + k] = (x[first + k] / norm.x) / length;
    }
  }
  if (params.steps != ALL) {
    norms[id.x] = norm;
  }
}
