// A_ij = exp(x̂_i · x̂_j − 1) as in affinity, with the features read as textures: a software adapter gathers a texel for all
// its invocations in a fraction of the time that it takes for a load from storage. The same values in the same order as
// affinity, to the bit.
//
// xi      unit rows x̂_i, row-major, rows padded with zeros to a multiple of 4; vec4 number i of it is texel
//         (i % WIDTH, i / WIDTH)
// xj      likewise, of the columns
// out     A, rows padded with zeros to a multiple of 4 columns
// params  extents and offsets, see Params
//
// With MIRROR, for nodes against themselves, blocks below the diagonal are left out and the others stored a second time,
// transposed: A_ij and A_ji are the same bits.
//
// Dispatch: x · y ≥ blocks / WORKGROUP, x = ACROSS unless y is 1. One invocation makes a block of 16 × 16 values, whose loops
// are written out before compiling (src/gpu/unroll.ts). Blocks are numbered panel by panel of `width` ≤ WORKGROUP blocks of
// columns, within one row by row, as in matmul_textures; with MIRROR, of panel p only the (p + 1) · width rows down to the
// diagonal, a long panel and a short one after the other, so that all pairs of panels are the same work.
// Order of reduction: channels ascending, one after the other.

override WORKGROUP: u32 = 8;
override MIRROR: bool = false;

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
}

@group(0) @binding(0) var xi: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var xj: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// Where the vec4 number `at` is in a texture.
fn texel(at: u32) -> vec2u {
  return vec2u(at % WIDTH, at / WIDTH);
}

// Adds four channels of one row against four columns: s + v · m.
fn mac(s: vec4f, v: vec4f, m: mat4x4f) -> vec4f {
  return fma(vec4f(v.w), m[3], fma(vec4f(v.z), m[2], fma(vec4f(v.y), m[1], fma(vec4f(v.x), m[0], s))));
}

// Affinities of four cosines; zeros beyond the last of `cols` columns.
fn finished(cosines: vec4f, j: u32, cols: u32) -> vec4f {
  let value = exp(min(cosines, vec4f(1)) - vec4f(1));
  return select(vec4f(), value, vec4u(j, j + 1, j + 2, j + 3) < vec4u(cols));
}

// Writes the vec4 number `at` of out where `inside`.
fn put(at: u32, value: vec4f, inside: bool) {
  if (inside) {
    out[at] = value;
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
  var cosines: array<array<vec4f, QUADS>, ROWS>;
  for (var k = 0u; k < quads; k++) {
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
        cosines[r][q] = mac(cosines[r][q], v[r], m);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) { // unrolled
    for (var q = 0u; q < QUADS; q++) { // unrolled
      let col = j + 4 * q;
      cosines[r][q] = finished(cosines[r][q], col, cols);
      put(start + r * out_stride + q, cosines[r][q], i + r < rows && col < cols);
    }
  }
  if (MIRROR) {
    for (var r = 0u; r < ROWS; r += 4u) { // unrolled
      let row = vec4u(i + r, i + r + 1, i + r + 2, i + r + 3);
      for (var q = 0u; q < QUADS; q++) { // unrolled
        for (var c = 0u; c < 4; c++) { // unrolled
          let value = vec4f(cosines[r][q][c], cosines[r + 1][q][c], cosines[r + 2][q][c], cosines[r + 3][q][c]);
          put(
            mirrored + (4 * q + c) * out_stride + r / 4,
            select(vec4f(), value, row < vec4u(rows)),
            i + r < rows && j + 4 * q + c < cols,
          );
        }
      }
    }
  }
}
