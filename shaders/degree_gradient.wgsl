// h_i = −(1 / d_i) Σ_j g_ij M_ij with g = Z Xᵀ + X Zᵀ and M_ij = s_i s_j A_ij, s = d^−½: how a loss on the normalised
// affinity reaches the degrees (METHOD, "Eigen-constraint").
//
// affinity A, nodes × stride
// product  Z Xᵀ, nodes × stride
// root     s, one a node
// out      h, one a node
// params   see Params
//
// Dispatch: x = ⌈nodes / WORKGROUP⌉, one invocation a row. Order of reduction: columns ascending in runs of 64.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  nodes: u32,
  stride: u32, // values per row
}

@group(0) @binding(0) var<storage, read> affinity: array<f32>;
@group(0) @binding(1) var<storage, read> product: array<f32>;
@group(0) @binding(2) var<storage, read> root: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= params.nodes) {
    return;
  }
  var sum = 0.0;
  for (var run = 0u; run < params.nodes; run += RUN) {
    var part = 0.0;
    for (var j = run; j < min(run + RUN, params.nodes); j++) {
      let g = product[i * params.stride + j] + product[j * params.stride + i];
      part = fma(g * root[j], affinity[i * params.stride + j], part);
    }
    sum += part;
  }
  out[i] = -root[i] * root[i] * root[i] * sum;
}
