// x̂_i = x_i / ‖x_i‖ for every row; with GRADIENT the way back (METHOD, "Eigen-constraint"):
//   ∂L/∂x_i = (I − x̂_i x̂_iᵀ) g_i / ‖x_i‖,  g_i = ∂L/∂x̂_i.
//
// x        rows × 4·stride, rows padded with zeros and none of them zero
// gradient g, the same shape; any buffer without GRADIENT
// out      the same shape, may not be x itself
// sums     largest magnitude, or with GRADIENT x_i · g_i, and sum of squares of every row, from one dispatch to the next; of one
//          entry where there is one dispatch
// params   see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row; long rows take several dispatches, part by part, for each of the
// steps. Without GRADIENT a row is divided by its largest magnitude first, so that squares neither overflow nor vanish. Order of
// reduction: channels ascending in four interleaved sums, in runs of 64 vec4 that are added up; the sums as
// (0 + 1) + (2 + 3), the parts ascending.

override GRADIENT: bool = false;
override WORKGROUP: u32 = 16;

const RUN: u32 = 64;
const LARGEST: u32 = 1;
const SUM: u32 = 2;
const STORE: u32 = 4;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  begin: u32, // vec4 of a row to look at: from here …
  end: u32, // … to before here
  steps: u32, // without GRADIENT LARGEST, SUM and STORE, with it SUM and STORE: one of them or all
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec2f>;
@group(0) @binding(4) var<uniform> params: Params;

fn total(v: vec4f) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let first = id.x * params.stride;
  let is_whole = (params.steps & (SUM | STORE)) == (SUM | STORE);
  var sum = vec2f();
  if (!is_whole && !(params.begin == 0 && params.steps == select(LARGEST, SUM, GRADIENT))) {
    sum = sums[id.x];
  }
  if (!GRADIENT && (params.steps & LARGEST) > 0) {
    var largest = vec4f();
    for (var k = params.begin; k < params.end; k++) {
      largest = max(largest, abs(x[first + k]));
    }
    sum.x = max(sum.x, max(max(largest.x, largest.y), max(largest.z, largest.w)));
  }
  if ((params.steps & SUM) > 0) {
    var squares = vec4f();
    var products = vec4f();
    for (var run = params.begin; run < params.end; run += RUN) {
      var part = vec4f();
      var product = vec4f();
      for (var k = run; k < min(run + RUN, params.end); k++) {
        var v = x[first + k];
        if (GRADIENT) {
          product = fma(v, gradient[first + k], product);
        } else {
          v /= sum.x;
        }
        part = fma(v, v, part);
      }
      squares += part;
      products += product;
    }
    sum += vec2f(total(products), total(squares));
  }
  if ((params.steps & STORE) > 0) {
    let length = sqrt(sum.y);
    let along = sum.x / sum.y;
    for (var k = params.begin; k < params.end; k++) {
      if (GRADIENT) {
        out[first + k] = (gradient[first + k] - along * x[first + k]) / length;
      } else {
        out[first + k] = (x[first + k] / sum.x) / length;
      }
    }
  }
  if (!is_whole) {
    sums[id.x] = sum;
  }
}
