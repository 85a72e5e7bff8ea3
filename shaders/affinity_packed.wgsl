// A_ij = exp(x̂_i · x̂_j − 1) as in affinity, with the columns' features packed into blocks of 16 nodes that
// are read as a uniform buffer: on a software adapter a load from there costs a fraction of one from storage. The same
// values in the same order as affinity, to the bit.
//
// xi      unit rows x̂_i, row-major, rows padded with zeros to a multiple of 4
// xj      one slice made by pack_columns: `blocks` blocks of `depth` channels of 16 nodes
// out     A, rows padded with zeros to a multiple of 4 columns
// params  extents and offsets, see Params
//
// With `mirror` 1, for nodes against themselves, blocks below the diagonal are left out and the others stored a second time,
// transposed: A_ij and A_ji are the same bits.
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
  mirror: u32, // 1: rows and columns are the same nodes, row 0 and column 0 of out the first
}

@group(0) @binding(0) var<storage, read> xi: array<vec4f>;
@group(0) @binding(1) var<uniform> xj: array<vec4f, SLICE>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

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

// Affinities of four cosines, zeros beyond the last column.
fn affinities(cosines: vec4f, j: u32) -> vec4f {
  let value = exp(min(cosines, vec4f(1)) - vec4f(1));
  return select(vec4f(), value, vec4u(j, j + 1, j + 2, j + 3) < vec4u(params.cols));
}

// Stores four columns of a row.
fn store(value: vec4f, i: u32, j: u32) {
  if (i < params.rows && j < params.cols) {
    out[(params.out_row + i) * params.out_stride + params.out_col + j / 4] = value;
  }
}

// Stores four columns of four rows, transposed; `j` counts from the first column of the slice.
fn store_mirrored(v: mat4x4f, i: u32, j: u32) {
  let columns = transpose(v);
  let limit = vec4u(i, i + 1, i + 2, i + 3) < vec4u(params.rows);
  for (var c = 0u; c < 4; c++) {
    if (j + c < params.cols && i < params.rows) {
      out[(params.out_col * 4 + j + c) * params.out_stride + i / 4] = select(vec4f(), columns[c], limit);
    }
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x * 8;
  let j = id.y * 16;
  if (i >= params.rows || (params.mirror == 1 && params.out_col * 4 + j + 15 < i)) {
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
  c00 = affinities(c00, j);
  c10 = affinities(c10, j);
  c20 = affinities(c20, j);
  c30 = affinities(c30, j);
  c40 = affinities(c40, j);
  c50 = affinities(c50, j);
  c60 = affinities(c60, j);
  c70 = affinities(c70, j);
  c01 = affinities(c01, j + 4);
  c11 = affinities(c11, j + 4);
  c21 = affinities(c21, j + 4);
  c31 = affinities(c31, j + 4);
  c41 = affinities(c41, j + 4);
  c51 = affinities(c51, j + 4);
  c61 = affinities(c61, j + 4);
  c71 = affinities(c71, j + 4);
  c02 = affinities(c02, j + 8);
  c12 = affinities(c12, j + 8);
  c22 = affinities(c22, j + 8);
  c32 = affinities(c32, j + 8);
  c42 = affinities(c42, j + 8);
  c52 = affinities(c52, j + 8);
  c62 = affinities(c62, j + 8);
  c72 = affinities(c72, j + 8);
  c03 = affinities(c03, j + 12);
  c13 = affinities(c13, j + 12);
  c23 = affinities(c23, j + 12);
  c33 = affinities(c33, j + 12);
  c43 = affinities(c43, j + 12);
  c53 = affinities(c53, j + 12);
  c63 = affinities(c63, j + 12);
  c73 = affinities(c73, j + 12);
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
  if (params.mirror == 1) {
    store_mirrored(mat4x4f(c00, c10, c20, c30), i, j);
    store_mirrored(mat4x4f(c01, c11, c21, c31), i, j + 4);
    store_mirrored(mat4x4f(c02, c12, c22, c32), i, j + 8);
    store_mirrored(mat4x4f(c03, c13, c23, c33), i, j + 12);
    store_mirrored(mat4x4f(c40, c50, c60, c70), i + 4, j);
    store_mirrored(mat4x4f(c41, c51, c61, c71), i + 4, j + 4);
    store_mirrored(mat4x4f(c42, c52, c62, c72), i + 4, j + 8);
    store_mirrored(mat4x4f(c43, c53, c63, c73), i + 4, j + 12);
  }
}
