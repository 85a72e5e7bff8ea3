// M_ij = s_i s_j A_ij − q_i q_j in place, turning a stored block of the affinity into the normalised affinity without its
// first eigenvector: s = d^−½, q = (d / Σd)^½ (METHOD, "Spectral clustering").
//
// scale_i (s_i, q_i), one pair a row
// scale_j (s_j, q_j), one pair a column
// block   rows × 4·stride, row-major, rows padded with zeros
// params  see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, y = ⌈stride / RUN⌉; one invocation RUN vec4 of one row. No reduction.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32, // vec4 per row
  scale_i: u32, // first entry of scale_i
}

@group(0) @binding(0) var<storage, read> scale_i: array<vec2f>;
@group(0) @binding(1) var<storage, read> scale_j: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> block: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// (s_j, q_j), zeros beyond the last column.
fn load_scale(j: u32) -> vec2f {
  return select(vec2f(), scale_j[min(j, params.cols - 1)], j < params.cols);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let si = scale_i[params.scale_i + id.x];
  for (var k = id.y * RUN; k < min((id.y + 1) * RUN, params.stride); k++) {
    let s0 = load_scale(4 * k);
    let s1 = load_scale(4 * k + 1);
    let s2 = load_scale(4 * k + 2);
    let s3 = load_scale(4 * k + 3);
    let at = id.x * params.stride + k;
    block[at] = si.x * vec4f(s0.x, s1.x, s2.x, s3.x) * block[at] - si.y * vec4f(s0.y, s1.y, s2.y, s3.y);
  }
}
