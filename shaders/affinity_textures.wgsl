// E_ij = A_ij − 1 = expm1(w_i · w_j − (h_i + h_j)) as in affinity, with the features read as textures: a software adapter
// gathers a texel for all its invocations in a fraction of the time that it takes for a load from storage. The same values
// in the same order as affinity, to the bit.
//
// xi      rows w_i, row-major, padded with zeros to a multiple of 4; vec4 number i of it is texel (i % WIDTH, i / WIDTH)
// xj      rows w_j, likewise
// half_i  h of all rows w_i, as half_squares makes it
// half_j  h of all rows w_j
// out     E + PLUS, rows padded with zeros to a multiple of 4 columns
// params  extents and offsets, see Params
//
// With MIRROR, for nodes against themselves, blocks below the diagonal are left out and the others stored a second time,
// transposed: E_ij and E_ji are the same bits.
//
// Dispatch: x · y ≥ blocks / WORKGROUP, x = ACROSS unless y is 1. One invocation makes a block of 16 × 16 values, whose loops
// are written out before compiling (src/gpu/unroll.ts). Blocks are numbered panel by panel of `width` ≤ WORKGROUP blocks of
// columns, within one row by row, as in matmul_textures; with MIRROR, of panel p only the (p + 1) · width rows down to the
// diagonal, a long panel and a short one after the other, so that all pairs of panels are the same work.
// Rows of more than 1024 channels take a dispatch for every 1024, as in affinity.
// Order of reduction: slices of 1024 channels one after the other; in each, channels ascending.

override WORKGROUP: u32 = 8;
override MIRROR: bool = false;
override ADDS: bool = false;
override FINISHES: bool = true;
override PLUS: f32 = 0; // 1 for A itself

const ROWS: u32 = 16; // that an invocation makes
const QUADS: u32 = 4; // vec4 of its columns
const ACROSS: u32 = 32768; // workgroups in a row of the grid
const WIDTH: u32 = 2048; // texels in a row of a texture (src/gpu/texture.ts)

struct Params {
  rows: u32, // rows of the block
  cols: u32, // columns of the block
  stride: u32, // vec4 per row of xi and xj
  out_stride: u32, // vec4 per row of out
  i_begin: u32, // vec4 of xi where its first row begins
  j_begin: u32, // of xj
  out_row: u32, // first row of out
  out_col: u32, // first column of out, in vec4
  panels: u32, // of columns
  width: u32, // blocks of columns in a panel
  half_i_row: u32, // first entry of half_i
  half_j_row: u32, // first entry of half_j
  begin: u32, // vec4 of a row to take: from here …
  end: u32, // … to before here
}

@group(0) @binding(0) var xi: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var xj: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read> half_i: array<f32>;
@group(0) @binding(3) var<storage, read> half_j: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

// Where the vec4 number `at` is in a texture.
fn texel(at: u32) -> vec2u {
  return vec2u(at % WIDTH, at / WIDTH);
}

// Adds four channels of one row against four columns: s + v · m.
fn mac(s: vec4f, v: vec4f, m: mat4x4f) -> vec4f {
  return fma(vec4f(v.w), m[3], fma(vec4f(v.z), m[2], fma(vec4f(v.y), m[1], fma(vec4f(v.x), m[0], s))));
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

// E of four products w_i · w_j, given h_i and h_j; zeros beyond the last of `cols` columns.
fn finished(products: vec4f, half: f32, halves: vec4f, j: u32, cols: u32) -> vec4f {
  let value = expm1(min(products - (vec4f(half) + halves), vec4f()));
  return select(vec4f(), value + vec4f(PLUS), vec4u(j, j + 1, j + 2, j + 3) < vec4u(cols));
}

// Writes the vec4 number `at` of out where `inside`, and the next one where `both`.
fn put(at: u32, value: vec4f, next: vec4f, inside: bool, both: bool) {
  if (inside) {
    out[at] = value;
  }
  if (inside && both) {
    out[at + 1] = next;
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // The software adapter reads parameters again wherever they are named.
  let rows = params.rows;
  let cols = params.cols;
  let out_stride = params.out_stride;
  let quads = params.stride;
  let panels = params.panels;
  let width = params.width;
  let number = id.y * ACROSS * WORKGROUP + id.x;
  var panel: u32;
  var within: u32;
  if (MIRROR) {
    let pair = number / ((panels + 1) * width * width);
    let rest = number % ((panels + 1) * width * width);
    let long = (panels - pair) * width * width;
    panel = select(pair, panels - 1 - pair, rest < long);
    within = select(rest - long, rest, rest < long);
    if (2 * pair + 1 > panels || (2 * pair + 1 == panels && rest >= long)) {
      return;
    }
  } else {
    let down = (rows + ROWS - 1) / ROWS;
    panel = number / (width * down);
    within = number % (width * down);
  }
  let i = within / width * ROWS;
  let j = (panel * width + within % width) * QUADS * 4;
  if (i >= rows || j >= cols || (MIRROR && j + 4 * QUADS - 1 < i)) {
    return;
  }
  var i_at: array<u32, ROWS>; // where the channels of every row begin
  for (var r = 0u; r < ROWS; r++) { // unrolled
    i_at[r] = params.i_begin + min(i + r, rows - 1) * quads;
  }
  var j_at: array<u32, 16>; // of every column
  for (var c = 0u; c < 16; c++) { // unrolled
    j_at[c] = params.j_begin + min(j + c, cols - 1) * quads;
  }
  let start = (params.out_row + i) * out_stride + params.out_col + j / 4;
  let mirrored = (params.out_col * 4 + j) * out_stride + i / 4;
  var products: array<array<vec4f, QUADS>, ROWS>;
  let end = params.end;
  for (var k = params.begin; k < end; k++) {
    var v: array<vec4f, ROWS>;
    for (var r = 0u; r < ROWS; r++) { // unrolled
      v[r] = textureLoad(xi, texel(i_at[r] + k));
    }
    for (var q = 0u; q < QUADS; q++) { // unrolled
      let m = transpose(mat4x4f(
        textureLoad(xj, texel(j_at[4 * q] + k)),
        textureLoad(xj, texel(j_at[4 * q + 1] + k)),
        textureLoad(xj, texel(j_at[4 * q + 2] + k)),
        textureLoad(xj, texel(j_at[4 * q + 3] + k)),
      ));
      for (var r = 0u; r < ROWS; r++) { // unrolled
        products[r][q] = mac(products[r][q], v[r], m);
      }
    }
  }
  if (ADDS) {
    for (var r = 0u; r < ROWS; r++) { // unrolled
      for (var q = 0u; q < QUADS; q++) { // unrolled
        if (i + r < rows && j + 4 * q < cols) {
          products[r][q] += out[start + r * out_stride + q];
        }
      }
    }
  }
  if (FINISHES) {
    var halves: array<vec4f, QUADS>;
    for (var q = 0u; q < QUADS; q++) { // unrolled
      let column = min(vec4u(j, j + 1, j + 2, j + 3) + vec4u(4 * q), vec4u(cols - 1)) + vec4u(params.half_j_row);
      halves[q] = vec4f(half_j[column.x], half_j[column.y], half_j[column.z], half_j[column.w]);
    }
    for (var r = 0u; r < ROWS; r++) { // unrolled
      let half = half_i[params.half_i_row + min(i + r, rows - 1)];
      for (var q = 0u; q < QUADS; q++) { // unrolled
        products[r][q] = finished(products[r][q], half, halves[q], j + 4 * q, cols);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) { // unrolled
    for (var q = 0u; q < QUADS; q += 2u) { // unrolled
      let col = j + 4 * q;
      let inside = i + r < rows && col < cols;
      put(start + r * out_stride + q, products[r][q], products[r][q + 1], inside, col + 4 < cols);
    }
  }
  if (MIRROR && FINISHES) {
    for (var r = 0u; r < ROWS; r += 8u) { // unrolled
      let row = vec4u(i + r, i + r + 1, i + r + 2, i + r + 3);
      for (var q = 0u; q < QUADS; q++) { // unrolled
        for (var c = 0u; c < 4; c++) { // unrolled
          let value = vec4f(products[r][q][c], products[r + 1][q][c], products[r + 2][q][c], products[r + 3][q][c]);
          let next = vec4f(products[r + 4][q][c], products[r + 5][q][c], products[r + 6][q][c], products[r + 7][q][c]);
          put(
            mirrored + (4 * q + c) * out_stride + r / 4,
            select(vec4f(), value, row < vec4u(rows)),
            select(vec4f(), next, row + vec4u(4) < vec4u(rows)),
            i + r < rows && j + 4 * q + c < cols,
            i + r + 4 < rows,
          );
        }
      }
    }
  }
}
