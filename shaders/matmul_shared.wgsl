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
// Order of reduction: k ascending, one after the other, starting from C itself when `accumulate` is 1.

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;

const BLOCK: u32 = 64; // rows and columns of a block
const DEPTH: u32 = 16; // steps of k that are shared at a time

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
  accumulate: u32, // 1: add to what C holds
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

// What the sum for four columns of C starts from; `at` is its place in c.
fn start(at: u32, row: u32, col: u32) -> vec4f {
  if (params.accumulate == 0 || row >= params.m || col >= params.n) {
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
  var c0 = start(at, row, col);
  var c1 = start(at + step, row + 1, col);
  var c2 = start(at + 2 * step, row + 2, col);
  var c3 = start(at + 3 * step, row + 3, col);
  for (var k = k_begin; k < k_end; k += DEPTH) {
    share_a(i, block_row, k, k_end);
    share_b(i, block_col, k, k_end);
    workgroupBarrier();
    for (var s = 0u; s < DEPTH; s++) {
      let bv = shared_b[16 * s + local.x];
      let av = BLOCK * s + 4 * local.y;
      c0 = fma(vec4f(shared_a[av]), bv, c0);
      c1 = fma(vec4f(shared_a[av + 1]), bv, c1);
      c2 = fma(vec4f(shared_a[av + 2]), bv, c2);
      c3 = fma(vec4f(shared_a[av + 3]), bv, c3);
    }
    workgroupBarrier();
  }
  store(c0, at, row, col);
  store(c1, at + step, row + 1, col);
  store(c2, at + 2 * step, row + 2, col);
  store(c3, at + 3 * step, row + 3, col);
}
