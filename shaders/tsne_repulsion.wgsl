// Repulsive forces of t-SNE, exact: with ν degrees of freedom and t_ij = 1 / (1 + ‖y_i − y_j‖² / ν), w_ij = t_ij^((ν+1)/2),
// for every point i
//   force_i = Σ_{j≠i} w_ij t_ij (y_i − y_j),   z_i = Σ_{j≠i} w_ij
// (van der Maaten & Hinton 2008, eq. 5, where ν = 1; van der Maaten 2009 for ν = dimensions − 1; the gradient divides
// force by Σ_i z_i).
//
// y       n points of up to 3 coordinates, the 4th 0
// yj      a window of up to 4096 of them, as a uniform buffer: on a software adapter a load from there costs a fraction of one from storage
// out     (force_i, z_i), one slab of n per slice of j; the slabs are added up by sum_slabs
// params  see Params
//
// Dispatch: x = ⌈n / POINTS / WORKGROUP⌉, y = slices of j in the window. One invocation takes POINTS points; the loops
// over them are written out before compiling (src/gpu/unroll.ts).
// Order of reduction: j ascending within a slice.

override WORKGROUP: u32 = 8;
override FREEDOM: u32 = 1; // ν, 1 or 2

struct Params {
  n: u32,
  slice: u32, // points j in a slice
  first: u32, // first point of the window, a multiple of slice
}

const POINTS: u32 = 16; // i that an invocation takes
const WINDOW: u32 = 4096; // points in a window, 64 KiB: what every adapter allows a uniform binding to be

@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<uniform> yj: array<vec4f, WINDOW>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// 1 / √(2h) by three Newton steps from the exponent's half: as exact as float32 is, and a third of what a root and a division
// cost on a software adapter.
fn inverse_root(h: f32) -> f32 {
  var r = bitcast<f32>(0x5ef75a86u - (bitcast<u32>(h) >> 1u));
  r = r * fma(-h * r, r, 1.5);
  r = r * fma(-h * r, r, 1.5);
  return r * fma(-h * r, r, 1.5);
}

// Adds the force of one point on another, and w in the 4th, of points in units of √(2ν): (1 + ‖y_i − y_j‖² / ν) / 2 is
// 1/2 + ‖d‖² there. A point on itself adds w = 1, taken off at the end.
fn add(s: vec4f, yi: vec4f, yj: vec4f) -> vec4f {
  let d = yi.xyz - yj.xyz;
  let r = inverse_root(fma(d.x, d.x, fma(d.y, d.y, fma(d.z, d.z, 0.5))));
  let t = r * r;
  let w = select(t, t * r, FREEDOM == 2);
  let f = w * t;
  return vec4f(fma(d.x, f, s.x), fma(d.y, f, s.y), fma(d.z, f, s.z), s.w + w);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x * POINTS;
  if (i >= params.n) {
    return;
  }
  let per_unit = 1 / sqrt(2 * f32(FREEDOM));
  var own: array<vec4f, POINTS>;
  for (var p = 0u; p < POINTS; p++) { // unrolled
    own[p] = y[min(i + p, params.n - 1)] * per_unit;
  }
  var sums: array<vec4f, POINTS>;
  let begin = id.y * params.slice;
  let end = min(begin + params.slice, params.n - params.first);
  for (var j = begin; j < end; j++) {
    let other = yj[j] * per_unit;
    for (var p = 0u; p < POINTS; p++) { // unrolled
      sums[p] = add(sums[p], own[p], other);
    }
  }
  let slice = params.first / params.slice + id.y;
  let unit = sqrt(2 * f32(FREEDOM));
  for (var p = 0u; p < POINTS; p++) { // unrolled
    let own_w = select(0.0, 1.0, i + p >= params.first + begin && i + p < params.first + end);
    if (i + p < params.n) {
      out[slice * params.n + i + p] = vec4f(unit * sums[p].xyz, sums[p].w - own_w);
    }
  }
}
