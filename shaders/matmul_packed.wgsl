// C = op(A) · B, or C + op(A) · B, op(X) = X or Xᵀ, with B packed into blocks of columns that are read as a uniform buffer: on a
// software adapter a load from there costs a fraction of one from storage. The same values in the same order as matmul,
// to the bit.
//
// a       A, m × k (stored k × m when TRANSPOSE_A), row-major, rows padded to a multiple of 4
// halves  the same buffer, read instead with SIXTEEN: each value a as round(65535 a) in 16 bits, two in a word, the first
//         in its low half
// b       one slice made by pack_columns: `blocks` blocks of `k` rows of 4 QUADS columns, zeros beyond the last row and column
// c       C, rows padded with zeros to a multiple of 4
// params  extents and offsets of this dispatch, see Params
//
// Dispatch: x = ⌈m / 16 / WORKGROUP⌉, y = blocks. One invocation makes 16 × 4 QUADS values of C; the loops
// over them are written out before compiling (src/gpu/unroll.ts).
// Order of reduction: k ascending, one after the other, starting from C itself when `accumulate` is 1.

override TRANSPOSE_A: bool = false;
override SIXTEEN: bool = false;
override WORKGROUP: u32 = 8;

const ROWS: u32 = 16; // of C that an invocation makes
const QUADS: u32 = 8; // vec4 of its columns; 4 for products of up to 16
const SLICE: u32 = 4096; // vec4 in a slice, 64 KiB: what every adapter allows a uniform binding to be

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C from the first of the slice on
  k: u32, // inner extent, a multiple of 4 in B
  a_stride: u32, // vec4 per stored row of A
  c_stride: u32, // of C
  a_row: u32, // first stored row of A
  c_row: u32, // of C
  a_col: u32, // first stored column of A, in vec4
  c_col: u32, // of C
  accumulate: u32, // 1: add to what C holds
  k_end: u32, // rows that A has when stored transposed
}

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> halves: array<vec2u>;
@group(0) @binding(2) var<uniform> b: array<vec4f, SLICE>;
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

// The vec4 number `at` of A.
fn four(at: u32) -> vec4f {
  if (SIXTEEN) {
    // as unpack2x16unorm, without its division
    let pair = halves[at];
    return vec4f(vec4i(vec4u(pair.x & 65535, pair.x >> 16, pair.y & 65535, pair.y >> 16))) * (1 / 65535.0);
  }
  return a[at];
}

// Adds four steps of k to four columns of one row: s + v · m.
fn mac(s: vec4f, v: vec4f, m: mat4x4f) -> vec4f {
  return fma(vec4f(v.w), m[3], fma(vec4f(v.z), m[2], fma(vec4f(v.y), m[1], fma(vec4f(v.x), m[0], s))));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x * ROWS;
  let col = id.y * QUADS * 4;
  // The software adapter reads parameters again wherever they are named.
  let m = params.m;
  let n = params.n;
  let quads = params.k / 4;
  let a_stride = params.a_stride;
  let a_row = params.a_row;
  let c_stride = params.c_stride;
  let last = params.k_end - 1;
  if (row >= m) {
    return;
  }
  var begin: array<u32, ROWS>; // where every row of op(A) begins; of four when A is stored transposed
  for (var r = 0u; r < ROWS; r++) { // unrolled
    let inside = min(row + r, m - 1);
    begin[r] = params.a_col + select((a_row + inside) * a_stride, inside / 4, TRANSPOSE_A);
  }
  let at = (params.c_row + row) * c_stride + params.c_col + col / 4;
  var sums: array<array<vec4f, QUADS>, ROWS>;
  if (params.accumulate == 1) {
    for (var r = 0u; r < ROWS; r++) { // unrolled
      for (var q = 0u; q < QUADS; q++) { // unrolled
        if (row + r < m && col + 4 * q < n) {
          sums[r][q] = c[at + r * c_stride + q];
        }
      }
    }
  }
  let first = id.y * quads * 4 * QUADS;
  for (var k = 0u; k < quads; k++) {
    var v: array<vec4f, ROWS>;
    if (TRANSPOSE_A) {
      for (var r = 0u; r < ROWS; r += 4u) { // unrolled
        let rows = transpose(mat4x4f(
          four((a_row + min(4 * k, last)) * a_stride + begin[r]),
          four((a_row + min(4 * k + 1, last)) * a_stride + begin[r]),
          four((a_row + min(4 * k + 2, last)) * a_stride + begin[r]),
          four((a_row + min(4 * k + 3, last)) * a_stride + begin[r]),
        ));
        v[r] = rows[0];
        v[r + 1] = rows[1];
        v[r + 2] = rows[2];
        v[r + 3] = rows[3];
      }
    } else {
      for (var r = 0u; r < ROWS; r++) { // unrolled
        v[r] = four(begin[r] + k);
      }
    }
    for (var q = 0u; q < QUADS; q++) { // unrolled
      let p = first + 4 * k * QUADS + q;
      let block = mat4x4f(b[p], b[p + QUADS], b[p + 2 * QUADS], b[p + 3 * QUADS]);
      for (var r = 0u; r < ROWS; r++) { // unrolled
        sums[r][q] = mac(sums[r][q], v[r], block);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) { // unrolled
    for (var q = 0u; q < QUADS; q++) { // unrolled
      let j = col + 4 * q;
      if (row + r < m && j < n) {
        let inside = vec4u(j, j + 1, j + 2, j + 3) < vec4u(n);
        c[at + r * c_stride + q] = select(vec4f(), sums[r][q], inside);
      }
    }
  }
}
