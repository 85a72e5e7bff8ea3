// C = op(A) · op(B), or C + op(A) · op(B), in blocks of 64 × 64 that a workgroup keeps in shared memory: for graphics
// cards, where a load from there costs a fraction of one from storage. Bindings, parameters, and the values to the bit
// are those of matmul.
//
// a       A, m × k (stored k × m when TRANSPOSE_A), row-major, rows padded with zeros to a multiple of 4
// b       B, k × n (stored n × k when TRANSPOSE_B), likewise
// c       C, m × n, likewise; with several slices of k one m × n slab per slice, to be added up by sum_slabs
// params  extents and offsets of this dispatch, see Params
//
// Dispatch: x = ⌈m / 64⌉, y = ⌈n / 64⌉, z = slices of k (1 unless split). One workgroup makes 64 × 64 values of C,
// one invocation 4 × 4 of them in registers.
// Order of reduction: that of matmul; a dispatch may take any number of whole runs.

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;

const BLOCK: u32 = 64; // rows and columns of a block
const DEPTH: u32 = 16; // steps of k that are shared at a time
const RUN: u32 = 512; // steps of k that are summed before they are added to the total

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C
  k: u32, // inner extent
  slice: u32, // inner extent of one z slice, a multiple of 4
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

// Steps of k of the block's rows and columns, 64 values a step.
var<workgroup> shared_a: array<f32, 1024>;
var<workgroup> shared_b: array<vec4f, 256>;

// Zeroes what lies at or beyond `limit` in a vec4 whose first element is number `first`.
fn keep(v: vec4f, first: u32, limit: u32) -> vec4f {
  return select(vec4f(), v, vec4u(first, first + 1, first + 2, first + 3) < vec4u(limit));
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

// Shares op(A) at rows row … row + 63 and k … k + 15; invocation i of 256 loads four values.
fn share_a(i: u32, row: u32, k: u32, k_end: u32) {
  if (TRANSPOSE_A) {
    let v = load_a_row(row + 4 * (i % 16), k + i / 16, k_end);
    let at = BLOCK * (i / 16) + 4 * (i % 16);
    shared_a[at] = v.x;
    shared_a[at + 1] = v.y;
    shared_a[at + 2] = v.z;
    shared_a[at + 3] = v.w;
    return;
  }
  let v = load_a(row + i / 4, k + 4 * (i % 4), k_end);
  let at = BLOCK * 4 * (i % 4) + i / 4;
  shared_a[at] = v.x;
  shared_a[at + BLOCK] = v.y;
  shared_a[at + 2 * BLOCK] = v.z;
  shared_a[at + 3 * BLOCK] = v.w;
}

// Shares op(B) at k … k + 15 and columns col … col + 63, likewise.
fn share_b(i: u32, col: u32, k: u32, k_end: u32) {
  if (TRANSPOSE_B) {
    let column = i / 4;
    let v = load_b_transposed(col + column, k + 4 * (i % 4), k_end);
    let at = 16 * 4 * (i % 4) + column / 4;
    shared_b[at][column % 4] = v.x;
    shared_b[at + 16][column % 4] = v.y;
    shared_b[at + 32][column % 4] = v.z;
    shared_b[at + 48][column % 4] = v.w;
    return;
  }
  shared_b[i] = load_b_row(col + 4 * (i % 16), k + i / 16, k_end);
}

// What C holds at four of its columns, where that is `wanted`; `at` is its place in c.
fn held(at: u32, row: u32, col: u32, wanted: u32) -> vec4f {
  if (params.held != wanted || row >= params.m || col >= params.n) {
    return vec4f();
  }
  return c[at];
}

// Stores four columns of C, zeros beyond its last.
fn store(v: vec4f, at: u32, row: u32, col: u32) {
  if (row < params.m && col < params.n) {
    c[at] = keep(v, col, params.n);
  }
}

// Adds four steps of k to four columns of one row, whose first step is at `av` of the shared rows of A.
fn mac(s: vec4f, av: u32, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  let half = fma(vec4f(shared_a[av + BLOCK]), b1, vec4f(shared_a[av]) * b0);
  return s + fma(vec4f(shared_a[av + 3 * BLOCK]), b3, fma(vec4f(shared_a[av + 2 * BLOCK]), b2, half));
}

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) block: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) i: u32,
) {
  let block_row = block.x * BLOCK;
  let block_col = block.y * BLOCK;
  let row = block_row + 4 * local.y;
  let col = block_col + 4 * local.x;
  let k_begin = block.z * params.slice;
  let k_end = min(k_begin + params.slice, params.k);
  let step = params.c_stride;
  let at = (params.c_row + block.z * params.m + row) * step + params.c_col + col / 4;
  var t0 = held(at, row, col, 1);
  var t1 = held(at + step, row + 1, col, 1);
  var t2 = held(at + 2 * step, row + 2, col, 1);
  var t3 = held(at + 3 * step, row + 3, col, 1);
  var c0 = held(at, row, col, 2);
  var c1 = held(at + step, row + 1, col, 2);
  var c2 = held(at + 2 * step, row + 2, col, 2);
  var c3 = held(at + 3 * step, row + 3, col, 2);
  for (var run = k_begin; run < k_end; run += RUN) {
    for (var k = run; k < min(run + RUN, k_end); k += DEPTH) {
      share_a(i, block_row, k, k_end);
      share_b(i, block_col, k, k_end);
      workgroupBarrier();
      for (var s = 0u; s < DEPTH; s += 4) {
        let av = BLOCK * s + 4 * local.y;
        let b0 = shared_b[16 * s + local.x];
        let b1 = shared_b[16 * s + 16 + local.x];
        let b2 = shared_b[16 * s + 32 + local.x];
        let b3 = shared_b[16 * s + 48 + local.x];
        c0 = mac(c0, av, b0, b1, b2, b3);
        c1 = mac(c1, av + 1, b0, b1, b2, b3);
        c2 = mac(c2, av + 2, b0, b1, b2, b3);
        c3 = mac(c3, av + 3, b0, b1, b2, b3);
      }
      workgroupBarrier();
    }
    t0 += c0;
    t1 += c1;
    t2 += c2;
    t3 += c3;
    c0 = vec4f();
    c1 = vec4f();
    c2 = vec4f();
    c3 = vec4f();
  }
  store(t0, at, row, col);
  store(t1, at + step, row + 1, col);
  store(t2, at + 2 * step, row + 2, col);
  store(t3, at + 3 * step, row + 3, col);
}
