// x̃_i = Σ_k w_ik x_k / Σ_k w_ik over the K neighbours k of row i (METHOD (4)).
//
// weights    K affinities a row, less `plus`; ≥ 0 with it and not all zero
// neighbors  their rows in x
// x          m × 4·stride, rows padded with zeros
// out        rows × 4·stride, from row out_row on
// params     see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, y = stride. Order of reduction: neighbours in the order of the list.

override WORKGROUP: u32 = 8;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  k: u32, // K
  list_row: u32, // first row of weights and neighbors
  out_row: u32, // first row of out
  plus: f32, // added to every weight
}

@group(0) @binding(0) var<storage, read> weights: array<f32>;
@group(0) @binding(1) var<storage, read> neighbors: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let list = (params.list_row + id.x) * params.k;
  var sum = vec4f();
  var weight = 0.0;
  for (var i = 0u; i < params.k; i++) {
    let w = weights[list + i] + params.plus;
    sum = fma(vec4f(w), x[neighbors[list + i] * params.stride + id.y], sum);
    weight += w;
  }
  out[(params.out_row + id.x) * params.stride + id.y] = sum / weight;
}
