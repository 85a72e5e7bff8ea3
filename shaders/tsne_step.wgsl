// One step of t-SNE's gradient descent with momentum, for every point i of a panel:
//   g_i = 2 (ν + 1) / ν · (e Σ_j p_ij t_ij (y_i − y_j) − force_i / Z),  t_ij = 1 / (1 + ‖y_i − y_j‖² / ν)
//   update ← momentum · update − rate / max(softest, n Σ_j p_ij t_ij) · g,  y ← y + update
// (van der Maaten & Hinton 2008, eq. 5, where ν = 1; van der Maaten 2009). 2 (ν + 1) / ν · Σ_j p_ij t_ij is the attraction's part of
// the second derivative: steps grow as the map spreads, and do not swing. Gains (Jacobs 1988) would depend on signs, and so on
// last bits.
//
// y          n points, the 4th coordinate 0
// repulsion  (force_i, z_i)
// z_sums     64 partial sums of (force_i, z_i) over points: Z is the total of their w
// row_start  rows + 1 offsets into joint
// joint      (j, p_ij, j′, p_ij′), row by row; p is 0 where a row's number of pairs is odd
// motion     last update of every point, replaced by the new one
// out        the new y
// params     see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a point. Order of reduction: stored neighbours in order; Z in order.

override WORKGROUP: u32 = 8;
override FREEDOM: u32 = 1; // ν, 1 or 2

const PARTIALS: u32 = 64;

struct Params {
  rows: u32, // points of the panel
  first: u32, // first of them
  momentum: f32,
  rate: f32,
  exaggeration: f32, // e
  points: f32, // n
  softest: f32, // the least n Σ_j p_ij t_ij that steps are measured by
}

@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> repulsion: array<vec4f>;
@group(0) @binding(2) var<uniform> z_sums: array<vec4f, PARTIALS>;
@group(0) @binding(3) var<storage, read> row_start: array<u32>;
@group(0) @binding(4) var<storage, read> joint: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> motion: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let i = params.first + id.x;
  var z = 0.0;
  for (var s = 0u; s < PARTIALS; s++) {
    z += z_sums[s].w;
  }
  let own = y[i];
  let end = row_start[id.x + 1];
  var pull = vec4f();
  var stiffness = 0.0;
  for (var at = row_start[id.x]; at < end; at++) {
    let pairs = joint[at];
    let j = u32(pairs.x);
    let k = u32(pairs.z);
    let d = own - y[j];
    let e = own - y[k];
    let p = pairs.y / (1 + dot(d, d) / f32(FREEDOM));
    let q = pairs.w / (1 + dot(e, e) / f32(FREEDOM));
    pull = fma(d, vec4f(p), pull);
    pull = fma(e, vec4f(q), pull);
    stiffness += p + q;
  }
  let force = vec4f(repulsion[i].xyz, 0);
  let gradient = 2 * f32(FREEDOM + 1) / f32(FREEDOM) * (params.exaggeration * pull - force / z);
  let update = params.momentum * motion[i] - params.rate / max(params.softest, params.points * stiffness) * gradient;
  motion[i] = update;
  out[i] = own + update;
}
