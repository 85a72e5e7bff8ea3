// E = F ∘ F ∘ (X_a X_aᵀ − X_b X_bᵀ), the numerator of the gradient of the eigen-constraint with respect to X_a X_aᵀ, and
// the squares whose sum is L_eigen²: F = 1 (METHOD (5)), or F_ij = exp(−A_b,ij) in the focal form (8).
//
// after    X_a, nodes × 4·after_stride, rows padded with zeros
// before   X_b, nodes × 4·before_stride
// affinity A_b, nodes × stride
// out      E, nodes × stride
// squares  Σ_j F_ij² (…)_ij², one for every row and run of columns, the runs of a row side by side
// params   see Params
//
// Dispatch: x = ⌈nodes / WORKGROUP⌉, y = ⌈stride / RUN⌉; one invocation RUN columns of one row. Order of reduction:
// eigenvectors ascending in four interleaved sums, then (0 + 1) + (2 + 3); columns ascending.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  nodes: u32,
  stride: u32, // values per row of affinity and out
  after_stride: u32, // vec4 per row
  before_stride: u32, // vec4 per row
  focal: u32, // 1 for the focal form
}

@group(0) @binding(0) var<storage, read> after: array<vec4f>;
@group(0) @binding(1) var<storage, read> before: array<vec4f>;
@group(0) @binding(2) var<storage, read> affinity: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<storage, read_write> squares: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.nodes) {
    return;
  }
  let i = id.x;
  var sum = 0.0;
  for (var j = id.y * RUN; j < min((id.y + 1) * RUN, params.stride); j++) {
    let at = i * params.stride + j;
    if (j >= params.nodes) {
      out[at] = 0;
      continue;
    }
    var product = vec4f();
    for (var k = 0u; k < params.after_stride; k++) {
      product = fma(after[i * params.after_stride + k], after[j * params.after_stride + k], product);
    }
    for (var k = 0u; k < params.before_stride; k++) {
      product -= before[i * params.before_stride + k] * before[j * params.before_stride + k];
    }
    let difference = (product.x + product.y) + (product.z + product.w);
    let weight = select(1.0, exp(-affinity[at]), params.focal == 1);
    let weighted = weight * difference;
    sum = fma(weighted, weighted, sum);
    out[at] = weight * weighted;
  }
  let runs = (params.stride + RUN - 1) / RUN;
  squares[i * runs + id.y] = sum;
}
