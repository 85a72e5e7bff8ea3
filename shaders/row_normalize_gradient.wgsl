// ∂L/∂v_i = (I − v̂_i v̂_iᵀ) ∂L/∂v̂_i / ‖v_i‖, the way back through v̂_i = v_i / ‖v_i‖ (METHOD, "Eigen-constraint").
//
// x        v, rows × 4·stride, rows padded with zeros and none of them zero
// gradient ∂L/∂v̂, the same shape
// out      ∂L/∂v, the same shape
// sums     |v|² and v · ∂L/∂v̂ of every row, from one dispatch to the next; of one entry else
// params   see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row; long rows take several dispatches, part by part, for each of the
// two steps. Order of reduction: channels ascending in four interleaved sums, in runs of 64 vec4 that are added up; the sums as
// (0 + 1) + (2 + 3), the parts ascending.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;
const SUM: u32 = 1;
const PROJECT: u32 = 2;
const ALL: u32 = 3;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  begin: u32, // vec4 of a row to look at: from here …
  end: u32, // … to before here
  steps: u32, // SUM and PROJECT, or ALL
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec2f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let first = id.x * params.stride;
  var sum = vec2f();
  if (params.steps != ALL && !(params.steps == SUM && params.begin == 0)) {
    sum = sums[id.x];
  }
  if ((params.steps & SUM) > 0) {
    var squares = vec4f();
    var products = vec4f();
    for (var run = params.begin; run < params.end; run += RUN) {
      var part = vec4f();
      var product = vec4f();
      for (var k = run; k < min(run + RUN, params.end); k++) {
        let v = x[first + k];
        part = fma(v, v, part);
        product = fma(v, gradient[first + k], product);
      }
      squares += part;
      products += product;
    }
    sum.x += (squares.x + squares.y) + (squares.z + squares.w);
    sum.y += (products.x + products.y) + (products.z + products.w);
  }
  if ((params.steps & PROJECT) > 0) {
    let along = sum.y / sum.x;
    let length = sqrt(sum.x);
    for (var k = params.begin; k < params.end; k++) {
      out[first + k] = (gradient[first + k] - along * x[first + k]) / length;
    }
  }
  if (params.steps != ALL) {
    sums[id.x] = sum;
  }
}
