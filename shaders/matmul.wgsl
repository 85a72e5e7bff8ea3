// C = op(A) · op(B) with op(X) = X or Xᵀ; A, B and C may be windows of larger matrices (row panels).
//
// a       A, m × k (stored k × m when TRANSPOSE_A), row-major, rows padded with zeros to a multiple of 4
// b       B, k × n (stored n × k when TRANSPOSE_B), likewise
// c       C, m × n, likewise; with several slices of k one m × n slab per slice, to be added up by sum_slabs
// params  extents and offsets of this dispatch, see Params
//
// Dispatch: x = ⌈m / 8 / WORKGROUP⌉, y = ⌈n / 16⌉, z = slices of k (1 unless split).
// One invocation makes 8 × 16 values of C in registers, neighbouring invocations take neighbouring rows: no shared
// memory and no barrier, and no inner loops, because the software adapter keeps only what is written out in registers.
// Order of reduction: four products of a step of k, beginning with its first; the steps of a run of 512 one after the
// other; runs ascending, each added to what C holds. A dispatch takes one run, or a part of one with `held`, so that a
// product taken panel by panel equals the product taken at once, bit for bit.

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override WORKGROUP: u32 = 8;

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C
  k: u32, // inner extent
  slice: u32, // inner extent of one z slice, a multiple of 4 and at most 512
  a_stride: u32, // vec4 per stored row of A
  b_stride: u32, // of B
  c_stride: u32, // of C
  a_row: u32, // first stored row of A
  b_row: u32, // of B
  c_row: u32, // of C
  a_col: u32, // first stored column of A, in vec4
  b_col: u32, // of B
  c_col: u32, // of C
  held: u32, // what C holds: 0 nothing, 1 what the product is to be added to, 2 the sum of the run's first part
}

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// Zeroes what lies at or beyond `limit` in a vec4 whose first element is number `first`.
fn keep(v: vec4f, first: u32, limit: u32) -> vec4f {
  return select(vec4f(), v, vec4u(first, first + 1, first + 2, first + 3) < vec4u(limit));
}

// Adds four steps of k to four columns of one row: s + av · bv.
fn mac(s: vec4f, av: vec4f, bv: mat4x4f) -> vec4f {
  return s + fma(vec4f(av.w), bv[3], fma(vec4f(av.z), bv[2], fma(vec4f(av.y), bv[1], vec4f(av.x) * bv[0])));
}

// Row `row` of A at k … k + 3.
fn load_a(row: u32, k: u32, k_end: u32) -> vec4f {
  let stored = params.a_row + min(row, params.m - 1);
  return keep(a[stored * params.a_stride + params.a_col + k / 4], k, k_end);
}

// Stored row k of the transposed A at columns row … row + 3.
fn load_a_row(row: u32, k: u32, k_end: u32) -> vec4f {
  let stored = params.a_row + min(k, k_end - 1);
  let column = params.a_col + min(row, params.m - 1) / 4;
  return select(vec4f(), a[stored * params.a_stride + column], k < k_end);
}

// Rows row … row + 3 of the transposed A at k … k + 3.
fn load_a_transposed(row: u32, k: u32, k_end: u32) -> mat4x4f {
  return transpose(mat4x4f(
    load_a_row(row, k, k_end),
    load_a_row(row, k + 1, k_end),
    load_a_row(row, k + 2, k_end),
    load_a_row(row, k + 3, k_end),
  ));
}

// Stored row k of B at columns col … col + 3.
fn load_b_row(col: u32, k: u32, k_end: u32) -> vec4f {
  let stored = params.b_row + min(k, k_end - 1);
  let column = params.b_col + min(col, params.n - 1) / 4;
  return select(vec4f(), b[stored * params.b_stride + column], k < k_end);
}

// Stored row `col` of the transposed B at k … k + 3.
fn load_b_transposed(col: u32, k: u32, k_end: u32) -> vec4f {
  let stored = params.b_row + min(col, params.n - 1);
  return keep(b[stored * params.b_stride + params.b_col + k / 4], k, k_end);
}

// Rows k … k + 3 of op(B) at columns col … col + 3.
fn load_b(col: u32, k: u32, k_end: u32) -> mat4x4f {
  if (TRANSPOSE_B) {
    return transpose(mat4x4f(
      load_b_transposed(col, k, k_end),
      load_b_transposed(col + 1, k, k_end),
      load_b_transposed(col + 2, k, k_end),
      load_b_transposed(col + 3, k, k_end),
    ));
  }
  return mat4x4f(
    load_b_row(col, k, k_end),
    load_b_row(col, k + 1, k_end),
    load_b_row(col, k + 2, k_end),
    load_b_row(col, k + 3, k_end),
  );
}

// What the sum for four columns of C starts from; `at` is its place in c.
fn start(at: u32, row: u32, col: u32) -> vec4f {
  if (params.held != 2 || row >= params.m || col >= params.n) {
    return vec4f();
  }
  return c[at];
}

// Stores four columns of C, or adds to them, zeros beyond its last.
fn store(v: vec4f, at: u32, row: u32, col: u32) {
  if (row < params.m && col < params.n) {
    c[at] = keep(select(v, c[at] + v, params.held == 1), col, params.n);
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x * 8;
  let col = id.y * 16;
  if (row >= params.m) {
    return;
  }
  let k_begin = id.z * params.slice;
  let k_end = min(k_begin + params.slice, params.k);
  let step = params.c_stride;
  let at = (params.c_row + id.z * params.m + row) * step + params.c_col + col / 4;

  var c00 = start(at, row, col);
  var c01 = start(at + 1, row, col + 4);
  var c02 = start(at + 2, row, col + 8);
  var c03 = start(at + 3, row, col + 12);
  var c10 = start(at + step, row + 1, col);
  var c11 = start(at + step + 1, row + 1, col + 4);
  var c12 = start(at + step + 2, row + 1, col + 8);
  var c13 = start(at + step + 3, row + 1, col + 12);
  var c20 = start(at + 2 * step, row + 2, col);
  var c21 = start(at + 2 * step + 1, row + 2, col + 4);
  var c22 = start(at + 2 * step + 2, row + 2, col + 8);
  var c23 = start(at + 2 * step + 3, row + 2, col + 12);
  var c30 = start(at + 3 * step, row + 3, col);
  var c31 = start(at + 3 * step + 1, row + 3, col + 4);
  var c32 = start(at + 3 * step + 2, row + 3, col + 8);
  var c33 = start(at + 3 * step + 3, row + 3, col + 12);
  var c40 = start(at + 4 * step, row + 4, col);
  var c41 = start(at + 4 * step + 1, row + 4, col + 4);
  var c42 = start(at + 4 * step + 2, row + 4, col + 8);
  var c43 = start(at + 4 * step + 3, row + 4, col + 12);
  var c50 = start(at + 5 * step, row + 5, col);
  var c51 = start(at + 5 * step + 1, row + 5, col + 4);
  var c52 = start(at + 5 * step + 2, row + 5, col + 8);
  var c53 = start(at + 5 * step + 3, row + 5, col + 12);
  var c60 = start(at + 6 * step, row + 6, col);
  var c61 = start(at + 6 * step + 1, row + 6, col + 4);
  var c62 = start(at + 6 * step + 2, row + 6, col + 8);
  var c63 = start(at + 6 * step + 3, row + 6, col + 12);
  var c70 = start(at + 7 * step, row + 7, col);
  var c71 = start(at + 7 * step + 1, row + 7, col + 4);
  var c72 = start(at + 7 * step + 2, row + 7, col + 8);
  var c73 = start(at + 7 * step + 3, row + 7, col + 12);
  for (var k = k_begin; k < k_end; k += 4) {
    var a0: vec4f;
    var a1: vec4f;
    var a2: vec4f;
    var a3: vec4f;
    var a4: vec4f;
    var a5: vec4f;
    var a6: vec4f;
    var a7: vec4f;
    if (TRANSPOSE_A) {
      let t0 = load_a_transposed(row, k, k_end);
      a0 = t0[0];
      a1 = t0[1];
      a2 = t0[2];
      a3 = t0[3];
      let t1 = load_a_transposed(row + 4, k, k_end);
      a4 = t1[0];
      a5 = t1[1];
      a6 = t1[2];
      a7 = t1[3];
    } else {
      a0 = load_a(row, k, k_end);
      a1 = load_a(row + 1, k, k_end);
      a2 = load_a(row + 2, k, k_end);
      a3 = load_a(row + 3, k, k_end);
      a4 = load_a(row + 4, k, k_end);
      a5 = load_a(row + 5, k, k_end);
      a6 = load_a(row + 6, k, k_end);
      a7 = load_a(row + 7, k, k_end);
    }
    let b0 = load_b(col, k, k_end);
    c00 = mac(c00, a0, b0);
    c10 = mac(c10, a1, b0);
    c20 = mac(c20, a2, b0);
    c30 = mac(c30, a3, b0);
    c40 = mac(c40, a4, b0);
    c50 = mac(c50, a5, b0);
    c60 = mac(c60, a6, b0);
    c70 = mac(c70, a7, b0);
    let b1 = load_b(col + 4, k, k_end);
    c01 = mac(c01, a0, b1);
    c11 = mac(c11, a1, b1);
    c21 = mac(c21, a2, b1);
    c31 = mac(c31, a3, b1);
    c41 = mac(c41, a4, b1);
    c51 = mac(c51, a5, b1);
    c61 = mac(c61, a6, b1);
    c71 = mac(c71, a7, b1);
    let b2 = load_b(col + 8, k, k_end);
    c02 = mac(c02, a0, b2);
    c12 = mac(c12, a1, b2);
    c22 = mac(c22, a2, b2);
    c32 = mac(c32, a3, b2);
    c42 = mac(c42, a4, b2);
    c52 = mac(c52, a5, b2);
    c62 = mac(c62, a6, b2);
    c72 = mac(c72, a7, b2);
    let b3 = load_b(col + 12, k, k_end);
    c03 = mac(c03, a0, b3);
    c13 = mac(c13, a1, b3);
    c23 = mac(c23, a2, b3);
    c33 = mac(c33, a3, b3);
    c43 = mac(c43, a4, b3);
    c53 = mac(c53, a5, b3);
    c63 = mac(c63, a6, b3);
    c73 = mac(c73, a7, b3);
  }
  store(c00, at, row, col);
  store(c01, at + 1, row, col + 4);
  store(c02, at + 2, row, col + 8);
  store(c03, at + 3, row, col + 12);
  store(c10, at + step, row + 1, col);
  store(c11, at + step + 1, row + 1, col + 4);
  store(c12, at + step + 2, row + 1, col + 8);
  store(c13, at + step + 3, row + 1, col + 12);
  store(c20, at + 2 * step, row + 2, col);
  store(c21, at + 2 * step + 1, row + 2, col + 4);
  store(c22, at + 2 * step + 2, row + 2, col + 8);
  store(c23, at + 2 * step + 3, row + 2, col + 12);
  store(c30, at + 3 * step, row + 3, col);
  store(c31, at + 3 * step + 1, row + 3, col + 4);
  store(c32, at + 3 * step + 2, row + 3, col + 8);
  store(c33, at + 3 * step + 3, row + 3, col + 12);
  store(c40, at + 4 * step, row + 4, col);
  store(c41, at + 4 * step + 1, row + 4, col + 4);
  store(c42, at + 4 * step + 2, row + 4, col + 8);
  store(c43, at + 4 * step + 3, row + 4, col + 12);
  store(c50, at + 5 * step, row + 5, col);
  store(c51, at + 5 * step + 1, row + 5, col + 4);
  store(c52, at + 5 * step + 2, row + 5, col + 8);
  store(c53, at + 5 * step + 3, row + 5, col + 12);
  store(c60, at + 6 * step, row + 6, col);
  store(c61, at + 6 * step + 1, row + 6, col + 4);
  store(c62, at + 6 * step + 2, row + 6, col + 8);
  store(c63, at + 6 * step + 3, row + 6, col + 12);
  store(c70, at + 7 * step, row + 7, col);
  store(c71, at + 7 * step + 1, row + 7, col + 4);
  store(c72, at + 7 * step + 2, row + 7, col + 8);
  store(c73, at + 7 * step + 3, row + 7, col + 12);
}
