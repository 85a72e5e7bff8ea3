// From S = V̄ᵀ V̄ of n centred nodes with D channels: the off-diagonal squares of the covariance C = S / n (METHOD (7)),
//   L_cov = Σ_{i≠j} C_ij² / (D (D − 1)), and G with ∂L_cov/∂V̄ = V̄ G:  G_ij = 4 S_ij / (n² D (D − 1)) off the diagonal.
//
// gram    S, rows of 4·stride padded with zeros; overwritten with scale · G
// squares Σ_j C_ij² off the diagonal, one for every row and run of columns, the runs of a row side by side, from row
//         `first_row` on
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, y = ⌈stride / RUN⌉; one invocation RUN vec4 of one row. Order of reduction: columns
// ascending in four interleaved sums, then (0 + 1) + (2 + 3).

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  first_row: u32, // row of S that is the first of this panel
  per_node: f32, // 1 / n
  scale: f32, // 4 / (n² D (D − 1)) times the weight of the loss
}

@group(0) @binding(0) var<storage, read_write> gram: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> squares: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let row = params.first_row + id.x;
  var sum = vec4f();
  for (var k = id.y * RUN; k < min((id.y + 1) * RUN, params.stride); k++) {
    let at = id.x * params.stride + k;
    let column = vec4u(4 * k) + vec4u(0, 1, 2, 3);
    let s = select(gram[at], vec4f(), column == vec4u(row));
    let c = s * params.per_node;
    sum = fma(c, c, sum);
    gram[at] = params.scale * s;
  }
  let runs = (params.stride + RUN - 1) / RUN;
  squares[row * runs + id.y] = (sum.x + sum.y) + (sum.z + sum.w);
}
