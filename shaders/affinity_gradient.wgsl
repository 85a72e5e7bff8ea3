// T = S + Sᵀ with S_ij = A_ij ∂L/∂A_ij, ∂L/∂A_ij = g_ij s_i s_j + h_i, g = Z Xᵀ + X Zᵀ, s = d^−½: the gradient of a loss
// on the normalised affinity with respect to unit features is T v̂ (METHOD, "Eigen-constraint").
//   T_ij = A_ij (2 g_ij s_i s_j + h_i + h_j)
//
// affinity A, nodes × stride
// product  Z Xᵀ, nodes × stride
// root     s, one a node
// degree   h, one a node
// out      T, nodes × stride
// params   see Params
//
// Dispatch: x = ⌈nodes / WORKGROUP⌉, y = ⌈stride / RUN⌉; one invocation RUN columns of one row. No reduction.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  nodes: u32,
  stride: u32, // values per row
  scale: f32,
}

@group(0) @binding(0) var<storage, read> affinity: array<f32>;
@group(0) @binding(1) var<storage, read> product: array<f32>;
@group(0) @binding(2) var<storage, read> root: array<f32>;
@group(0) @binding(3) var<storage, read> degree: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= params.nodes) {
    return;
  }
  for (var j = id.y * RUN; j < min((id.y + 1) * RUN, params.stride); j++) {
    let at = i * params.stride + j;
    if (j >= params.nodes) {
      out[at] = 0;
      continue;
    }
    let g = product[at] + product[j * params.stride + i];
    out[at] = params.scale * affinity[at] * (2 * g * root[i] * root[j] + degree[i] + degree[j]);
  }
}
