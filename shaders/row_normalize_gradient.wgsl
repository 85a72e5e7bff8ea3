// ∂L/∂v_i = (I − v̂_i v̂_iᵀ) ∂L/∂v̂_i / ‖v_i‖, the way back through v̂_i = v_i / ‖v_i‖ (METHOD, "Eigen-constraint").
//
// x        v, rows × 4·stride, rows padded with zeros and none of them zero
// gradient ∂L/∂v̂, the same shape
// out      ∂L/∂v, the same shape
// params   see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row. Order of reduction: channels ascending in four interleaved sums,
// then (0 + 1) + (2 + 3).

override WORKGROUP: u32 = 16;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let first = id.x * params.stride;
  var squares = vec4f();
  var products = vec4f();
  for (var k = 0u; k < params.stride; k++) {
    let v = x[first + k];
    squares = fma(v, v, squares);
    products = fma(v, gradient[first + k], products);
  }
  let square = (squares.x + squares.y) + (squares.z + squares.w);
  let along = ((products.x + products.y) + (products.z + products.w)) / square;
  let length = sqrt(square);
  for (var k = 0u; k < params.stride; k++) {
    out[first + k] = (gradient[first + k] - along * x[first + k]) / length;
  }
}
