// C = op(A) · op(B), or C + op(A) · op(B), with op(X) = X or Xᵀ; and, with FINISHES, the affinity less 1 of nodes w_i, which are
// the rows of A and of B (B is transposed; METHOD, "Spectral clustering"):
//   E_ij = exp(cos_ij − 1) − 1 = expm1(w_i · w_j − (h_i + h_j)),  h_i = ½ |w_i|²,  w_i = x̂_i − m with the same m for all nodes.
// Where nodes are nearly parallel, w and E are small, and neither loses digits.
//
// a       A, m × k (k × m with TRANSPOSE_A), row-major, rows padded with zeros to a multiple of 4
// b       B, k × n (n × k with TRANSPOSE_B), likewise
// half_i  h of the rows of A; any buffer without FINISHES
// half_j  h of the rows of B, likewise
// c       C, m × n, padded as A; with several slices of k one m × n slab per slice, which sum_slabs adds up
// params  sizes and offsets of this dispatch, see Params
//
// src/linalg/product.ts dispatches it in three variants, which give the same bits:
//   main, storage or textures  x · y ≥ blocks / WORKGROUP, x = ACROSS unless y is 1. One invocation computes a block of 16 × 16
//                              values in registers; larger blocks overflow the processor's instruction cache. A software adapter
//                              gathers a texel for all its invocations faster than it loads from storage.
//   main_shared                x = ⌈m / 64⌉, y = ⌈n / 64⌉, z = slices. A workgroup keeps 64 × 64 values in shared memory: for
//                              graphics cards.
// Order of reduction: in runs (of 512 steps of k, of 1024 with IN_TURN), the runs ascending, beginning with what C holds of EARLIER
// ones; last what C holds to ADD to. Within a run four steps of k together, beginning with the first, or one by one with IN_TURN.

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override HAS_REST: bool = false; // k is no multiple of 4, and what is read beyond it must be zeroed
override HELD: u32 = 0; // what C holds: nothing or one of these; an override, as a load that is skipped costs as much as one that is not
override IN_TURN: bool = false; // add products one by one, as half_squares does, of one run
override FINISHES: bool = false; // store E + PLUS in place of the products
override PLUS: f32 = 0; // 1 for A itself
override MIRROR: bool = false; // the nodes of A are those of B: compute the blocks on and above the diagonal, store them twice
override RUN: u32 = 512; // steps of k in a run
override WORKGROUP: u32 = 8;

const ADD: u32 = 1; // what the product is added to
const BEGUN: u32 = 2; // the sum of the first run's first part
const EARLIER: u32 = 3; // the sum of earlier runs
const ROWS: u32 = 16; // of C that an invocation computes
const QUADS: u32 = 4; // vec4 of its columns
const ACROSS: u32 = 32768; // workgroups in a row of the grid

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C
  k: u32, // inner size
  slice: u32, // inner size of a slice, a multiple of 4
  a_stride: u32, // vec4 per stored row of A
  b_stride: u32, // of B
  c_stride: u32, // of C
  a_begin: u32, // vec4 of a where A begins
  b_begin: u32, // of b
  c_begin: u32, // of c
  half_i: u32, // first entry of half_i
  half_j: u32, // of half_j
  panels: u32, // panels of columns, for main
  width: u32, // blocks of columns in a panel, for main
}

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read> half_i: array<f32>;
@group(0) @binding(3) var<storage, read> half_j: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

fn load_a(at: u32) -> vec4f {
  return a[at];
}

fn load_b(at: u32) -> vec4f {
  return b[at];
}

// The numbers of four values, of which `first` is the first.
fn four(first: u32) -> vec4u {
  return vec4u(first) + vec4u(0, 1, 2, 3);
}

// Adds four steps of k to four columns of one row: s + v · m.
fn mac(s: vec4f, v: vec4f, m: mat4x4f) -> vec4f {
  if (IN_TURN) {
    return fma(vec4f(v.w), m[3], fma(vec4f(v.z), m[2], fma(vec4f(v.y), m[1], fma(vec4f(v.x), m[0], s))));
  }
  return s + fma(vec4f(v.w), m[3], fma(vec4f(v.z), m[2], fma(vec4f(v.y), m[1], vec4f(v.x) * m[0])));
}

// e^t − 1 for t in [−2, 0] with a relative error of at most 1.3e-7: t P(t), P the polynomial through (e^t − 1) / t at the eight
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

// h of row i.
fn half_of_row(i: u32, m: u32) -> f32 {
  if (!FINISHES) {
    return 0;
  }
  return half_i[params.half_i + min(i, m - 1)];
}

// h of columns j … j + 3.
fn halves_of_columns(j: u32, n: u32) -> vec4f {
  if (!FINISHES) {
    return vec4f();
  }
  let column = min(four(j), vec4u(n - 1)) + vec4u(params.half_j);
  return vec4f(half_j[column.x], half_j[column.y], half_j[column.z], half_j[column.w]);
}

// What C held at vec4 number `at` when that was `kind`, else 0.
fn held(kind: u32, at: u32, is_inside: bool) -> vec4f {
  if (HELD != kind || !is_inside) {
    return vec4f();
  }
  return c[at];
}

// What C is to hold for four sums of columns j … j + 3: zeros beyond the last of n columns.
fn finished(sums: vec4f, half: f32, halves: vec4f, j: u32, n: u32) -> vec4f {
  var value = sums;
  if (FINISHES) {
    value = expm1(min(sums - (vec4f(half) + halves), vec4f())) + vec4f(PLUS);
  }
  return select(vec4f(), value, four(j) < vec4u(n));
}

// Stores vec4 number `at` of c where `is_inside`, and the next one where `is_next`.
fn store(at: u32, value: vec4f, next: vec4f, is_inside: bool, is_next: bool) {
  if (is_inside) {
    c[at] = value;
  }
  if (is_inside && is_next) {
    c[at + 1] = next;
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let p = params; // The software adapter reads parameters again wherever they are named.
  // Blocks are numbered panel by panel of up to a workgroup of columns, within a panel row by row: neighbouring invocations
  // read what lies together, and a processor that takes them in order finds a panel's columns in its cache.
  let of_panel = p.width * ((p.m + ROWS - 1) / ROWS);
  var slab = 0u;
  var number = id.y * ACROSS * WORKGROUP + id.x;
  if (!IN_TURN) {
    slab = number / (p.panels * of_panel);
    number = number % (p.panels * of_panel);
    if (slab * p.slice >= p.k) {
      return;
    }
  }
  var panel: u32;
  var within: u32;
  if (MIRROR) {
    // Panel p has the (p + 1) · width rows down to the diagonal; a long panel and a short one follow one another, so that every
    // pair of panels is the same work.
    let of_pair = (p.panels + 1) * p.width * p.width;
    let pair = number / of_pair;
    let rest = number % of_pair;
    let long = (p.panels - pair) * p.width * p.width;
    panel = select(pair, p.panels - 1 - pair, rest < long);
    within = select(rest - long, rest, rest < long);
    if (2 * pair + 1 > p.panels || (2 * pair + 1 == p.panels && rest >= long)) {
      return;
    }
  } else {
    panel = number / of_panel;
    within = number % of_panel;
  }
  let row = within / p.width * ROWS;
  let col = (panel * p.width + within % p.width) * QUADS * 4;
  if (row >= p.m || col >= p.n || (MIRROR && col + 4 * QUADS - 1 < row)) {
    return;
  }
  let k_begin = slab * p.slice;
  let last = min(k_begin + p.slice, p.k) - 1;
  var a_at: array<u32, ROWS>; // where every row of op(A) begins; every four rows when A is stored transposed
  for (var r = 0u; r < ROWS; r++) { // unrolled
    let inside = min(row + r, p.m - 1);
    a_at[r] = p.a_begin + select(inside * p.a_stride, inside / 4, TRANSPOSE_A);
  }
  var b_at: array<u32, 16>; // where every column of op(B) begins; every four columns when B is not stored transposed
  for (var q = 0u; q < 16; q++) { // unrolled
    let inside = min(col + q, p.n - 1);
    b_at[q] = p.b_begin + select(inside / 4, inside * p.b_stride, TRANSPOSE_B);
  }
  let at = p.c_begin + (slab * p.m + row) * p.c_stride + col / 4;
  var sums: array<array<vec4f, QUADS>, ROWS>; // of a run
  var totals: array<array<vec4f, QUADS>, ROWS>; // of earlier ones
  for (var r = 0u; r < ROWS; r++) { // unrolled
    for (var q = 0u; q < QUADS; q++) { // unrolled
      let is_inside = row + r < p.m && col + 4 * q < p.n;
      sums[r][q] = held(BEGUN, at + r * p.c_stride + q, is_inside);
      totals[r][q] = held(EARLIER, at + r * p.c_stride + q, is_inside);
    }
  }
  let k_end = last / 4 + 1;
  for (var run = k_begin / 4; run < k_end; run += RUN / 4) {
    for (var k = run; k < min(run + RUN / 4, k_end); k++) {
      let rows = min(four(4 * k), vec4u(last)); // of what is not stored along k
      let is_inside = four(4 * k) <= vec4u(last);
      var v: array<vec4f, ROWS>;
      if (TRANSPOSE_A) {
        let begin = rows * p.a_stride;
        for (var r = 0u; r < ROWS; r += 4u) { // unrolled
          let block = transpose(mat4x4f(
            load_a(a_at[r] + begin.x),
            load_a(a_at[r] + begin.y),
            load_a(a_at[r] + begin.z),
            load_a(a_at[r] + begin.w),
          ));
          for (var s = 0u; s < 4; s++) { // unrolled
            v[r + s] = block[s];
            if (HAS_REST) {
              v[r + s] = select(vec4f(), block[s], is_inside);
            }
          }
        }
      } else {
        for (var r = 0u; r < ROWS; r++) { // unrolled
          v[r] = load_a(a_at[r] + k);
        }
      }
      for (var q = 0u; q < QUADS; q++) { // unrolled
        var block: mat4x4f;
        if (TRANSPOSE_B) {
          block = transpose(mat4x4f(
            load_b(b_at[4 * q] + k),
            load_b(b_at[4 * q + 1] + k),
            load_b(b_at[4 * q + 2] + k),
            load_b(b_at[4 * q + 3] + k),
          ));
        } else {
          let begin = vec4u(b_at[4 * q]) + rows * p.b_stride;
          block = mat4x4f(load_b(begin.x), load_b(begin.y), load_b(begin.z), load_b(begin.w));
          if (HAS_REST) {
            for (var s = 0u; s < 4; s++) { // unrolled
              block[s] = select(vec4f(), block[s], is_inside[s]);
            }
          }
        }
        for (var r = 0u; r < ROWS; r++) { // unrolled
          sums[r][q] = mac(sums[r][q], v[r], block);
        }
      }
    }
    if (!IN_TURN) {
      for (var r = 0u; r < ROWS; r++) { // unrolled
        for (var q = 0u; q < QUADS; q++) { // unrolled
          totals[r][q] += sums[r][q];
          sums[r][q] = vec4f();
        }
      }
    }
  }
  var halves: array<vec4f, QUADS>;
  for (var q = 0u; q < QUADS; q++) { // unrolled
    halves[q] = halves_of_columns(col + 4 * q, p.n);
  }
  for (var r = 0u; r < ROWS; r++) { // unrolled
    let half = half_of_row(row + r, p.m);
    for (var q = 0u; q < QUADS; q++) { // unrolled
      let before = held(ADD, at + r * p.c_stride + q, row + r < p.m && col + 4 * q < p.n);
      let own = select(totals[r][q], sums[r][q], IN_TURN);
      sums[r][q] = finished(before + own, half, halves[q], col + 4 * q, p.n);
    }
  }
  for (var r = 0u; r < ROWS; r++) { // unrolled
    for (var q = 0u; q < QUADS; q += 2u) { // unrolled
      let j = col + 4 * q;
      store(at + r * p.c_stride + q, sums[r][q], sums[r][q + 1], row + r < p.m && j < p.n, j + 4 < p.n);
    }
  }
  if (MIRROR && FINISHES) {
    let mirrored = p.c_begin + col * p.c_stride + row / 4;
    for (var r = 0u; r < ROWS; r += 8u) { // unrolled
      for (var q = 0u; q < QUADS; q++) { // unrolled
        for (var s = 0u; s < 4; s++) { // unrolled
          let value = vec4f(sums[r][q][s], sums[r + 1][q][s], sums[r + 2][q][s], sums[r + 3][q][s]);
          let next = vec4f(sums[r + 4][q][s], sums[r + 5][q][s], sums[r + 6][q][s], sums[r + 7][q][s]);
          store(
            mirrored + (4 * q + s) * p.c_stride + r / 4,
            select(vec4f(), value, four(row + r) < vec4u(p.m)),
            select(vec4f(), next, four(row + r + 4) < vec4u(p.m)),
            row + r < p.m && col + 4 * q + s < p.n,
            row + r + 4 < p.m,
          );
        }
      }
    }
  }
}

const BLOCK: u32 = 64; // rows and columns of a workgroup of main_shared
const DEPTH: u32 = 16; // steps of k that it shares at a time
const OWN: u32 = 4; // rows that an invocation of it computes, and columns

// Steps of k of the block's rows and columns, 64 values a step.
var<workgroup> shared_a: array<f32, 1024>;
var<workgroup> shared_b: array<vec4f, 256>;

// Four values of the i-th of 256 invocations, of op(A) or of op(B), at k … k + 15 and rows or columns first … first + 63 of `count`.
// Stored along k, they are steps 4 (i % 4) … + 3 of row i / 4; else rows 4 (i % 16) … + 3 of step i / 16.
struct Place {
  at: u32, // of the vec4
  is_inside: vec4<bool>,
}

fn place(i: u32, first: u32, count: u32, k: u32, k_end: u32, stride: u32, along_k: bool) -> Place {
  if (along_k) {
    let step = k + 4 * (i % 4);
    let at = min(first + i / 4, count - 1) * stride + min(step, k_end - 1) / 4;
    return Place(at, four(step) < vec4u(k_end));
  }
  let step = k + i / 16;
  let at = min(step, k_end - 1) * stride + min(first + 4 * (i % 16), count - 1) / 4;
  return Place(at, vec4<bool>(step < k_end));
}

// Shares op(A) at rows row … row + 63 and k … k + 15.
fn share_a(i: u32, row: u32, k: u32, k_end: u32) {
  let source = place(i, row, params.m, k, k_end, params.a_stride, !TRANSPOSE_A);
  let v = select(vec4f(), load_a(params.a_begin + source.at), source.is_inside);
  let at = select(BLOCK * 4 * (i % 4) + i / 4, BLOCK * (i / 16) + 4 * (i % 16), TRANSPOSE_A);
  let step = select(BLOCK, 1, TRANSPOSE_A);
  for (var s = 0u; s < 4; s++) { // unrolled
    shared_a[at + s * step] = v[s];
  }
}

// Shares op(B) at k … k + 15 and columns col … col + 63.
fn share_b(i: u32, col: u32, k: u32, k_end: u32) {
  let source = place(i, col, params.n, k, k_end, params.b_stride, TRANSPOSE_B);
  let v = select(vec4f(), load_b(params.b_begin + source.at), source.is_inside);
  if (!TRANSPOSE_B) {
    shared_b[i] = v;
    return;
  }
  for (var s = 0u; s < 4; s++) { // unrolled
    shared_b[16 * (4 * (i % 4) + s) + i / 16][i / 4 % 4] = v[s];
  }
}

@compute @workgroup_size(16, 16)
fn main_shared(
  @builtin(workgroup_id) block: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) i: u32,
) {
  let row = block.x * BLOCK + OWN * local.y;
  let col = block.y * BLOCK + OWN * local.x;
  let k_begin = block.z * params.slice;
  let k_end = min(k_begin + params.slice, params.k);
  let at = params.c_begin + (block.z * params.m + row) * params.c_stride + col / 4;
  var totals: array<vec4f, OWN>;
  var sums: array<vec4f, OWN>;
  for (var r = 0u; r < OWN; r++) { // unrolled
    let is_inside = row + r < params.m && col < params.n;
    totals[r] = held(EARLIER, at + r * params.c_stride, is_inside);
    sums[r] = held(BEGUN, at + r * params.c_stride, is_inside);
  }
  for (var run = k_begin; run < k_end; run += RUN) {
    for (var k = run; k < min(run + RUN, k_end); k += DEPTH) {
      share_a(i, block.x * BLOCK, k, k_end);
      share_b(i, block.y * BLOCK, k, k_end);
      workgroupBarrier();
      for (var s = 0u; s < DEPTH; s += 4) {
        let a_at = BLOCK * s + OWN * local.y;
        let b_at = 16 * s + local.x;
        let m = mat4x4f(shared_b[b_at], shared_b[b_at + 16], shared_b[b_at + 32], shared_b[b_at + 48]);
        for (var r = 0u; r < OWN; r++) { // unrolled
          let u = a_at + r;
          let v = vec4f(shared_a[u], shared_a[u + BLOCK], shared_a[u + 2 * BLOCK], shared_a[u + 3 * BLOCK]);
          sums[r] = mac(sums[r], v, m);
        }
      }
      workgroupBarrier();
    }
    for (var r = 0u; r < OWN; r++) { // unrolled
      totals[r] += sums[r];
      sums[r] = vec4f();
    }
  }
  let halves = halves_of_columns(col, params.n);
  for (var r = 0u; r < OWN; r++) { // unrolled
    let is_inside = row + r < params.m && col < params.n;
    let before = held(ADD, at + r * params.c_stride, is_inside);
    let value = finished(before + totals[r], half_of_row(row + r, params.m), halves, col, params.n);
    store(at + r * params.c_stride, value, vec4f(), is_inside, false);
  }
}
