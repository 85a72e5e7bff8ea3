// E_ij = A_ij − 1 = e^(−|w_i − w_j|² / 2) − 1, a block of rows against a block of columns: w_i = x̂_i − m with the same m for
// all, so that A_ij = exp(x̂_i · x̂_j − 1) (METHOD, "Spectral clustering"). Where rows are nearly parallel w is small, and so
// is E, and neither loses digits.
//   E_ij = expm1(w_i · w_j − (h_i + h_j)), h_i = ½ |w_i|²
//
// xi      rows w_i, row-major, padded with zeros to a multiple of 4
// xj      rows w_j, likewise
// half_i  h of all rows w_i, as half_squares makes it
// half_j  h of all rows w_j
// out     E + PLUS, rows padded with zeros to a multiple of 4 columns
// params  extents and offsets, see Params
//
// Dispatch: x = ⌈rows / 8 / WORKGROUP⌉, y = ⌈columns / 16⌉. One invocation makes 8 × 16 values, as in matmul. Rows of more
// than 1024 channels take a dispatch for every 1024: the first ones leave sums in out, all but the first add to them (ADDS),
// the last one turns them into E (FINISHES).
// Order of reduction: slices of 1024 channels one after the other; in each, channels ascending.

override ADDS: bool = false;
override FINISHES: bool = true;
override PLUS: f32 = 0; // 1 for A itself
override WORKGROUP: u32 = 8;

struct Params {
  rows: u32, // rows of the block
  cols: u32, // columns of the block
  stride: u32, // vec4 per row of xi and xj
  out_stride: u32, // vec4 per row of out
  i_row: u32, // first row of xi
  j_row: u32, // first row of xj
  out_row: u32, // first row of out
  out_col: u32, // first column of out, in vec4
  half_i_row: u32, // first entry of half_i
  half_j_row: u32, // first entry of half_j
  begin: u32, // vec4 of a row to take: from here …
  end: u32, // … to before here
}

@group(0) @binding(0) var<storage, read> xi: array<vec4f>;
@group(0) @binding(1) var<storage, read> xj: array<vec4f>;
@group(0) @binding(2) var<storage, read> half_i: array<f32>;
@group(0) @binding(3) var<storage, read> half_j: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

// Adds four channels of one row against four columns: s + v · m.
fn mac(s: vec4f, v: vec4f, m: mat4x4f) -> vec4f {
  return fma(vec4f(v.w), m[3], fma(vec4f(v.z), m[2], fma(vec4f(v.y), m[1], fma(vec4f(v.x), m[0], s))));
}

// Channels 4 k … 4 k + 3 of row i.
fn load_i(i: u32, k: u32) -> vec4f {
  return xi[(params.i_row + min(i, params.rows - 1)) * params.stride + k];
}

// Channels 4 k … 4 k + 3 of row j.
fn load_j(j: u32, k: u32) -> vec4f {
  return xj[(params.j_row + min(j, params.cols - 1)) * params.stride + k];
}

// Channels 4 k … 4 k + 3 of rows j … j + 3, channel by channel.
fn load_columns(j: u32, k: u32) -> mat4x4f {
  return transpose(mat4x4f(load_j(j, k), load_j(j + 1, k), load_j(j + 2, k), load_j(j + 3, k)));
}

// e^t − 1 for t in [−2, 0], off by 1.3e-7 of it at most: t P(t), P the polynomial through (e^t − 1) / t at the eight
// Chebyshev points of [−2, 0], in powers of t + 1.
fn expm1(t: vec4f) -> vec4f {
  let s = t + vec4f(1);
  var p = fma(s, vec4f(1.04743494e-5), vec4f(8.55193939e-5));
  p = fma(s, p, vec4f(5.94043639e-4));
  p = fma(s, p, vec4f(3.65841761e-3));
  p = fma(s, p, vec4f(1.89881809e-2));
  p = fma(s, p, vec4f(8.03016797e-2));
  p = fma(s, p, vec4f(2.64241129e-1));
  p = fma(s, p, vec4f(6.32120550e-1));
  return t * p;
}

// Stores what four products w_i · w_j make, zeros beyond the last column.
fn store(products: vec4f, i: u32, j: u32) {
  if (i < params.rows && j < params.cols) {
    let at = (params.out_row + i) * params.out_stride + params.out_col + j / 4;
    var value = products;
    if (ADDS) {
      value += out[at];
    }
    if (FINISHES) {
      let column = min(vec4u(j, j + 1, j + 2, j + 3), vec4u(params.cols - 1)) + vec4u(params.half_j_row);
      let h = vec4f(half_j[column.x], half_j[column.y], half_j[column.z], half_j[column.w]);
      value = expm1(min(value - (vec4f(half_i[params.half_i_row + i]) + h), vec4f()));
      value = select(vec4f(), value + vec4f(PLUS), vec4u(j, j + 1, j + 2, j + 3) < vec4u(params.cols));
    }
    out[at] = value;
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x * 8;
  let j = id.y * 16;
  if (i >= params.rows) {
    return;
  }

  var c00 = vec4f();
  var c01 = vec4f();
  var c02 = vec4f();
  var c03 = vec4f();
  var c10 = vec4f();
  var c11 = vec4f();
  var c12 = vec4f();
  var c13 = vec4f();
  var c20 = vec4f();
  var c21 = vec4f();
  var c22 = vec4f();
  var c23 = vec4f();
  var c30 = vec4f();
  var c31 = vec4f();
  var c32 = vec4f();
  var c33 = vec4f();
  var c40 = vec4f();
  var c41 = vec4f();
  var c42 = vec4f();
  var c43 = vec4f();
  var c50 = vec4f();
  var c51 = vec4f();
  var c52 = vec4f();
  var c53 = vec4f();
  var c60 = vec4f();
  var c61 = vec4f();
  var c62 = vec4f();
  var c63 = vec4f();
  var c70 = vec4f();
  var c71 = vec4f();
  var c72 = vec4f();
  var c73 = vec4f();
  for (var k = params.begin; k < params.end; k++) {
    let v0 = load_i(i, k);
    let v1 = load_i(i + 1, k);
    let v2 = load_i(i + 2, k);
    let v3 = load_i(i + 3, k);
    let v4 = load_i(i + 4, k);
    let v5 = load_i(i + 5, k);
    let v6 = load_i(i + 6, k);
    let v7 = load_i(i + 7, k);
    let m0 = load_columns(j, k);
    c00 = mac(c00, v0, m0);
    c10 = mac(c10, v1, m0);
    c20 = mac(c20, v2, m0);
    c30 = mac(c30, v3, m0);
    c40 = mac(c40, v4, m0);
    c50 = mac(c50, v5, m0);
    c60 = mac(c60, v6, m0);
    c70 = mac(c70, v7, m0);
    let m1 = load_columns(j + 4, k);
    c01 = mac(c01, v0, m1);
    c11 = mac(c11, v1, m1);
    c21 = mac(c21, v2, m1);
    c31 = mac(c31, v3, m1);
    c41 = mac(c41, v4, m1);
    c51 = mac(c51, v5, m1);
    c61 = mac(c61, v6, m1);
    c71 = mac(c71, v7, m1);
    let m2 = load_columns(j + 8, k);
    c02 = mac(c02, v0, m2);
    c12 = mac(c12, v1, m2);
    c22 = mac(c22, v2, m2);
    c32 = mac(c32, v3, m2);
    c42 = mac(c42, v4, m2);
    c52 = mac(c52, v5, m2);
    c62 = mac(c62, v6, m2);
    c72 = mac(c72, v7, m2);
    let m3 = load_columns(j + 12, k);
    c03 = mac(c03, v0, m3);
    c13 = mac(c13, v1, m3);
    c23 = mac(c23, v2, m3);
    c33 = mac(c33, v3, m3);
    c43 = mac(c43, v4, m3);
    c53 = mac(c53, v5, m3);
    c63 = mac(c63, v6, m3);
    c73 = mac(c73, v7, m3);
  }
  store(c00, i, j);
  store(c01, i, j + 4);
  store(c02, i, j + 8);
  store(c03, i, j + 12);
  store(c10, i + 1, j);
  store(c11, i + 1, j + 4);
  store(c12, i + 1, j + 8);
  store(c13, i + 1, j + 12);
  store(c20, i + 2, j);
  store(c21, i + 2, j + 4);
  store(c22, i + 2, j + 8);
  store(c23, i + 2, j + 12);
  store(c30, i + 3, j);
  store(c31, i + 3, j + 4);
  store(c32, i + 3, j + 8);
  store(c33, i + 3, j + 12);
  store(c40, i + 4, j);
  store(c41, i + 4, j + 4);
  store(c42, i + 4, j + 8);
  store(c43, i + 4, j + 12);
  store(c50, i + 5, j);
  store(c51, i + 5, j + 4);
  store(c52, i + 5, j + 8);
  store(c53, i + 5, j + 12);
  store(c60, i + 6, j);
  store(c61, i + 6, j + 4);
  store(c62, i + 6, j + 8);
  store(c63, i + 6, j + 12);
  store(c70, i + 7, j);
  store(c71, i + 7, j + 4);
  store(c72, i + 7, j + 8);
  store(c73, i + 7, j + 12);
}
