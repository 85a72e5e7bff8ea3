// One step of conjugate gradients for every column of a block, each with its own shift: (λ_c I − M) z_c = b_c.
//   q ← λ p − M p,  α = rᵀr / pᵀq,  z ← z + α p,  r ← r − α q,  p ← r + (r′ᵀr′ / rᵀr) p
// A column whose rᵀr has come down to `floor` is left as it is.
//
// image   M p, rows × 4·stride
// shift   λ_c, one a column
// floor   rᵀr at which to stop, one a column
// z, r, p the iterate, the residual and the direction, of equal shape, in place
// squares rᵀr, one a column, in place
// params  see Params
//
// Dispatch: x = ⌈cols / WORKGROUP⌉, one invocation a column. Order of reduction: rows ascending in runs of 64.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32, // values per row
}

@group(0) @binding(0) var<storage, read> image: array<f32>;
@group(0) @binding(1) var<storage, read> shift: array<f32>;
@group(0) @binding(2) var<storage, read> floor: array<f32>;
@group(0) @binding(3) var<storage, read_write> z: array<f32>;
@group(0) @binding(4) var<storage, read_write> r: array<f32>;
@group(0) @binding(5) var<storage, read_write> p: array<f32>;
@group(0) @binding(6) var<storage, read_write> squares: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= params.cols) {
    return;
  }
  let before = squares[c];
  if (!(before > floor[c])) {
    return;
  }
  let lambda = shift[c];
  var curvature = 0.0;
  for (var run = 0u; run < params.rows; run += RUN) {
    var part = 0.0;
    for (var i = run; i < min(run + RUN, params.rows); i++) {
      let at = i * params.stride + c;
      part = fma(p[at], lambda * p[at] - image[at], part);
    }
    curvature += part;
  }
  if (!(curvature > 0)) {
    return;
  }
  let alpha = before / curvature;
  var after = 0.0;
  for (var run = 0u; run < params.rows; run += RUN) {
    var part = 0.0;
    for (var i = run; i < min(run + RUN, params.rows); i++) {
      let at = i * params.stride + c;
      let rest = r[at] - alpha * (lambda * p[at] - image[at]);
      z[at] += alpha * p[at];
      r[at] = rest;
      part = fma(rest, rest, part);
    }
    after += part;
  }
  for (var i = 0u; i < params.rows; i++) {
    let at = i * params.stride + c;
    p[at] = r[at] + after / before * p[at];
  }
  squares[c] = after;
}
