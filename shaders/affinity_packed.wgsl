// M_ij = s_i s_j exp(x̂_i · x̂_j − 1) − q_i q_j as in affinity, with the columns' features packed into blocks of 16 nodes that
// are read as a uniform buffer: on a software adapter a load from there costs a fraction of one from storage. The same
// values in the same order as affinity, to the bit.
//
// xi      unit rows x̂_i, row-major, rows padded with zeros to a multiple of 4
// xj      one slice made by pack_columns: `blocks` blocks of `depth` channels of 16 nodes
// scale_i (s_i, q_i), one pair a row
// scale_j (s_j, q_j)
// out     M, rows padded to a multiple of 4 columns
// params  extents and offsets, see Params
//
// Dispatch: x = ⌈rows / 8 / WORKGROUP⌉, y = blocks. One invocation makes 8 × 16 values in registers.
// Order of reduction: channels ascending, one after the other.

override WORKGROUP: u32 = 8;

const SLICE: u32 = 4096; // vec4 in a slice, 64 KiB: what every adapter allows a uniform binding to be

struct Params {
  rows: u32, // rows of the block
  cols: u32, // columns of the block from the first of the slice on
  depth: u32, // channels, a multiple of 4
  out_stride: u32, // vec4 per row of out
  i_row: u32, // first row of xi
  out_row: u32, // first row of out
  out_col: u32, // first column of out, in vec4
  scale_i: u32, // first entry of scale_i
  scale_j: u32, // first entry of scale_j
}

@group(0) @binding(0) var<storage, read> xi: array<vec4f>;
@group(0) @binding(1) var<uniform> xj: array<vec4f, SLICE>;
@group(0) @binding(2) var<storage, read> scale_i: array<vec2f>;
@group(0) @binding(3) var<storage, read> scale_j: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

// Place of row i of xi.
fn place_i(i: u32) -> u32 {
  return (params.i_row + min(i, params.rows - 1)) * params.depth / 4;
}

// Four channels of four nodes.
fn load_columns(at: u32) -> mat4x4f {
  return mat4x4f(xj[at], xj[at + 4], xj[at + 8], xj[at + 12]);
}

// Adds four channels of one row against four columns: s + v · m.
fn mac(s: vec4f, v: vec4f, m: mat4x4f) -> vec4f {
  return fma(vec4f(v.w), m[3], fma(vec4f(v.z), m[2], fma(vec4f(v.y), m[1], fma(vec4f(v.x), m[0], s))));
}

// (s_j, q_j), zeros beyond the last column.
fn load_scale(j: u32) -> vec2f {
  return select(vec2f(), scale_j[params.scale_j + min(j, params.cols - 1)], j < params.cols);
}

// (s_j, q_j) of four columns.
fn load_scales(j: u32) -> mat4x2f {
  return mat4x2f(load_scale(j), load_scale(j + 1), load_scale(j + 2), load_scale(j + 3));
}

// Turns four cosines into values of M and stores them.
fn store(cosines: vec4f, si: vec2f, sj: mat2x4f, i: u32, j: u32) {
  if (i >= params.rows || j >= params.cols) {
    return;
  }
  let kernel = exp(min(cosines, vec4f(1)) - vec4f(1));
  out[(params.out_row + i) * params.out_stride + params.out_col + j / 4] = si.x * sj[0] * kernel - si.y * sj[1];
}

// (s_i, q_i) of a row.
fn scale_of(i: u32) -> vec2f {
  return scale_i[params.scale_i + min(i, params.rows - 1)];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x * 8;
  let j = id.y * 16;
  if (i >= params.rows) {
    return;
  }
  let p0 = place_i(i);
  let p1 = place_i(i + 1);
  let p2 = place_i(i + 2);
  let p3 = place_i(i + 3);
  let p4 = place_i(i + 4);
  let p5 = place_i(i + 5);
  let p6 = place_i(i + 6);
  let p7 = place_i(i + 7);
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
  let first = id.y * params.depth * 4;
  for (var k = 0u; k < params.depth / 4; k++) {
    let v0 = xi[p0 + k];
    let v1 = xi[p1 + k];
    let v2 = xi[p2 + k];
    let v3 = xi[p3 + k];
    let v4 = xi[p4 + k];
    let v5 = xi[p5 + k];
    let v6 = xi[p6 + k];
    let v7 = xi[p7 + k];
    let m0 = load_columns(first + 16 * k);
    c00 = mac(c00, v0, m0);
    c10 = mac(c10, v1, m0);
    c20 = mac(c20, v2, m0);
    c30 = mac(c30, v3, m0);
    c40 = mac(c40, v4, m0);
    c50 = mac(c50, v5, m0);
    c60 = mac(c60, v6, m0);
    c70 = mac(c70, v7, m0);
    let m1 = load_columns(first + 16 * k + 1);
    c01 = mac(c01, v0, m1);
    c11 = mac(c11, v1, m1);
    c21 = mac(c21, v2, m1);
    c31 = mac(c31, v3, m1);
    c41 = mac(c41, v4, m1);
    c51 = mac(c51, v5, m1);
    c61 = mac(c61, v6, m1);
    c71 = mac(c71, v7, m1);
    let m2 = load_columns(first + 16 * k + 2);
    c02 = mac(c02, v0, m2);
    c12 = mac(c12, v1, m2);
    c22 = mac(c22, v2, m2);
    c32 = mac(c32, v3, m2);
    c42 = mac(c42, v4, m2);
    c52 = mac(c52, v5, m2);
    c62 = mac(c62, v6, m2);
    c72 = mac(c72, v7, m2);
    let m3 = load_columns(first + 16 * k + 3);
    c03 = mac(c03, v0, m3);
    c13 = mac(c13, v1, m3);
    c23 = mac(c23, v2, m3);
    c33 = mac(c33, v3, m3);
    c43 = mac(c43, v4, m3);
    c53 = mac(c53, v5, m3);
    c63 = mac(c63, v6, m3);
    c73 = mac(c73, v7, m3);
  }
  let s0 = scale_of(i);
  let s1 = scale_of(i + 1);
  let s2 = scale_of(i + 2);
  let s3 = scale_of(i + 3);
  let s4 = scale_of(i + 4);
  let s5 = scale_of(i + 5);
  let s6 = scale_of(i + 6);
  let s7 = scale_of(i + 7);
  let t0 = transpose(load_scales(j));
  store(c00, s0, t0, i, j);
  store(c10, s1, t0, i + 1, j);
  store(c20, s2, t0, i + 2, j);
  store(c30, s3, t0, i + 3, j);
  store(c40, s4, t0, i + 4, j);
  store(c50, s5, t0, i + 5, j);
  store(c60, s6, t0, i + 6, j);
  store(c70, s7, t0, i + 7, j);
  let t1 = transpose(load_scales(j + 4));
  store(c01, s0, t1, i, j + 4);
  store(c11, s1, t1, i + 1, j + 4);
  store(c21, s2, t1, i + 2, j + 4);
  store(c31, s3, t1, i + 3, j + 4);
  store(c41, s4, t1, i + 4, j + 4);
  store(c51, s5, t1, i + 5, j + 4);
  store(c61, s6, t1, i + 6, j + 4);
  store(c71, s7, t1, i + 7, j + 4);
  let t2 = transpose(load_scales(j + 8));
  store(c02, s0, t2, i, j + 8);
  store(c12, s1, t2, i + 1, j + 8);
  store(c22, s2, t2, i + 2, j + 8);
  store(c32, s3, t2, i + 3, j + 8);
  store(c42, s4, t2, i + 4, j + 8);
  store(c52, s5, t2, i + 5, j + 8);
  store(c62, s6, t2, i + 6, j + 8);
  store(c72, s7, t2, i + 7, j + 8);
  let t3 = transpose(load_scales(j + 12));
  store(c03, s0, t3, i, j + 12);
  store(c13, s1, t3, i + 1, j + 12);
  store(c23, s2, t3, i + 2, j + 12);
  store(c33, s3, t3, i + 3, j + 12);
  store(c43, s4, t3, i + 4, j + 12);
  store(c53, s5, t3, i + 5, j + 12);
  store(c63, s6, t3, i + 6, j + 12);
  store(c73, s7, t3, i + 7, j + 12);
}
