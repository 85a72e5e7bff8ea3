// x̂_i = x_i / ‖x_i‖ for every row.
//
// x       rows × 4·stride, rows padded with zeros
// out     the same shape, may not be x itself
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row. The row is divided by its largest magnitude first, so that
// squares neither overflow nor vanish. Order of reduction: channels ascending in four interleaved sums, then
// (0 + 1) + (2 + 3).

override WORKGROUP: u32 = 16;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let first = id.x * params.stride;
  var largest = vec4f();
  for (var k = 0u; k < params.stride; k++) {
    largest = max(largest, abs(x[first + k]));
  }
  let scale = max(max(largest.x, largest.y), max(largest.z, largest.w));
  var squares = vec4f();
  for (var k = 0u; k < params.stride; k++) {
    let v = x[first + k] / scale;
    squares = fma(v, v, squares);
  }
  let norm = sqrt((squares.x + squares.y) + (squares.z + squares.w));
  for (var k = 0u; k < params.stride; k++) {
    out[first + k] = (x[first + k] / scale) / norm;
  }
}
