// Repulsive forces of t-SNE, exact: with ν degrees of freedom and t_ij = 1 / (1 + ‖y_i − y_j‖² / ν), w_ij = t_ij^((ν+1)/2),
// for every point i
//   force_i = Σ_{j≠i} w_ij t_ij (y_i − y_j),   z_i = Σ_{j≠i} w_ij
// (van der Maaten & Hinton 2008, eq. 5, where ν = 1; van der Maaten 2009 for ν = dimensions − 1; the gradient divides
// force by Σ_i z_i).
//
// y       n points of up to 3 coordinates, the 4th 0
// out     (force_i, z_i), one slab of n per slice of j; the slabs are added up by sum_slabs
// params  see Params
//
// Dispatch: x = ⌈n / 8 / WORKGROUP⌉, y = slices of j. One invocation takes 8 points.
// Order of reduction: j ascending within a slice.

override WORKGROUP: u32 = 8;
override FREEDOM: u32 = 1; // ν, 1 or 2

struct Params {
  n: u32,
  slice: u32, // points j in a slice
}

@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

// 1 / √q by three Newton steps from the exponent's half: as exact as float32 is, and a third of what a root and a division
// cost on a software adapter.
fn inverse_root(q: f32) -> f32 {
  let h = 0.5 * q;
  var r = bitcast<f32>(0x5f375a86u - (bitcast<u32>(q) >> 1u));
  r = r * fma(-h * r, r, 1.5);
  r = r * fma(-h * r, r, 1.5);
  return r * fma(-h * r, r, 1.5);
}

// Adds the force of one point on another, and w in the 4th. A point on itself adds w = 1, taken off at the end.
fn add(s: vec4f, yi: vec4f, yj: vec4f) -> vec4f {
  let d = yi.xyz - yj.xyz;
  let e = d * (1 / f32(FREEDOM));
  let r = inverse_root(fma(e.x, d.x, fma(e.y, d.y, fma(e.z, d.z, 1))));
  let t = r * r;
  let w = select(t, t * r, FREEDOM == 2);
  let f = w * t;
  return vec4f(fma(d.x, f, s.x), fma(d.y, f, s.y), fma(d.z, f, s.z), s.w + w);
}

// Takes the point itself off z and stores.
fn store(s: vec4f, i: u32, slice: u32, own: bool) {
  if (i < params.n) {
    out[slice * params.n + i] = s - vec4f(0, 0, 0, select(0.0, 1.0, own));
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x * 8;
  if (i >= params.n) {
    return;
  }
  let last = params.n - 1;
  let y0 = y[i];
  let y1 = y[min(i + 1, last)];
  let y2 = y[min(i + 2, last)];
  let y3 = y[min(i + 3, last)];
  let y4 = y[min(i + 4, last)];
  let y5 = y[min(i + 5, last)];
  let y6 = y[min(i + 6, last)];
  let y7 = y[min(i + 7, last)];
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  var s4 = vec4f();
  var s5 = vec4f();
  var s6 = vec4f();
  var s7 = vec4f();
  let begin = id.y * params.slice;
  let end = min(begin + params.slice, params.n);
  for (var j = begin; j < end; j++) {
    let yj = y[j];
    s0 = add(s0, y0, yj);
    s1 = add(s1, y1, yj);
    s2 = add(s2, y2, yj);
    s3 = add(s3, y3, yj);
    s4 = add(s4, y4, yj);
    s5 = add(s5, y5, yj);
    s6 = add(s6, y6, yj);
    s7 = add(s7, y7, yj);
  }
  store(s0, i, id.y, i >= begin && i < end);
  store(s1, i + 1, id.y, i + 1 >= begin && i + 1 < end);
  store(s2, i + 2, id.y, i + 2 >= begin && i + 2 < end);
  store(s3, i + 3, id.y, i + 3 >= begin && i + 3 < end);
  store(s4, i + 4, id.y, i + 4 >= begin && i + 4 < end);
  store(s5, i + 5, id.y, i + 5 >= begin && i + 5 < end);
  store(s6, i + 6, id.y, i + 6 >= begin && i + 6 < end);
  store(s7, i + 7, id.y, i + 7 >= begin && i + 7 < end);
}
