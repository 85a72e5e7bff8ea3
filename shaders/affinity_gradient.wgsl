// The gradient of a loss on the normalised affinity with respect to unit features, T v̂ (METHOD, "Eigen-constraint"): T = S + Sᵀ
// with S_ij = A_ij ∂L/∂A_ij, ∂L/∂A_ij = g_ij s_i s_j + h_i, g = Z Xᵀ + X Zᵀ, s = d^−½,
//   T_ij = A_ij (2 g_ij s_i s_j + h_i + h_j);
// and, with DEGREES, how the loss reaches the degrees, which has to be known before:
//   h_i = −(1 / d_i) Σ_j g_ij M_ij,  M_ij = s_i s_j A_ij.
//
// affinity A, nodes × stride
// product  Z Xᵀ, nodes × stride
// root     s, one a node
// degree   h, one a node; any buffer with DEGREES
// out      T, nodes × stride; with DEGREES h, one a node
// params   see Params
//
// Dispatch: x = ⌈nodes / WORKGROUP⌉, y = ⌈stride / RUN⌉; one invocation RUN columns of one row. No reduction.
// With DEGREES one invocation a row, y = 1. Order of reduction: columns ascending in runs of 64.

override DEGREES: bool = false;
override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  nodes: u32,
  stride: u32, // values per row
  scale: f32, // factor on T
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
  if (DEGREES) {
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
