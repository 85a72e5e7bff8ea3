// E_ij = A_ij − 1 = expm1(w_i · w_j − (h_i + h_j)) as in affinity, in blocks of 64 × 64 that a workgroup keeps in shared
// memory: for graphics cards, as matmul_shared. Bindings, parameters, and the values to the bit are those of affinity.
//
// xi      rows w_i, row-major, padded with zeros to a multiple of 4
// xj      rows w_j, likewise
// half_i  h of all rows w_i, as half_squares makes it
// half_j  h of all rows w_j
// out     E + PLUS, rows padded with zeros to a multiple of 4 columns
// params  extents and offsets, see Params
//
// Dispatch: x = ⌈rows / 64⌉, y = ⌈columns / 64⌉. One workgroup makes 64 × 64 values, one invocation 4 × 4 of them in
// registers. Rows of more than 1024 channels take a dispatch for every 1024, as in affinity.
// Order of reduction: slices of 1024 channels one after the other; in each, channels ascending.

override ADDS: bool = false;
override FINISHES: bool = true;
override PLUS: f32 = 0; // 1 for A itself

const BLOCK: u32 = 64; // rows and columns of a block
const DEPTH: u32 = 16; // channels that are shared at a time

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

// Channels of the block's rows and columns, 64 values a channel.
var<workgroup> shared_i: array<f32, 1024>;
var<workgroup> shared_j: array<vec4f, 256>;

// Channels k … k + 3 of row i, zeros beyond the last.
fn load_i(i: u32, k: u32) -> vec4f {
  let at = (params.i_row + min(i, params.rows - 1)) * params.stride;
  return select(vec4f(), xi[at + min(k / 4, params.end - 1)], k / 4 < params.end);
}

// Channels k … k + 3 of row j, zeros beyond the last.
fn load_j(j: u32, k: u32) -> vec4f {
  let at = (params.j_row + min(j, params.cols - 1)) * params.stride;
  return select(vec4f(), xj[at + min(k / 4, params.end - 1)], k / 4 < params.end);
}

// Shares channels k … k + 15 of 64 rows and of 64 columns; invocation n of 256 loads four values of each.
fn share(n: u32, i: u32, j: u32, k: u32) {
  let row = n / 4;
  let channel = 4 * (n % 4);
  let u = load_i(i + row, k + channel);
  let to_i = BLOCK * channel + row;
  shared_i[to_i] = u.x;
  shared_i[to_i + BLOCK] = u.y;
  shared_i[to_i + 2 * BLOCK] = u.z;
  shared_i[to_i + 3 * BLOCK] = u.w;
  let v = load_j(j + row, k + channel);
  let to_j = 16 * channel + row / 4;
  shared_j[to_j][row % 4] = v.x;
  shared_j[to_j + 16][row % 4] = v.y;
  shared_j[to_j + 32][row % 4] = v.z;
  shared_j[to_j + 48][row % 4] = v.w;
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

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) block: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) n: u32,
) {
  let first_i = block.x * BLOCK;
  let first_j = block.y * BLOCK;
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  for (var k = 4 * params.begin; k < 4 * params.end; k += DEPTH) {
    share(n, first_i, first_j, k);
    workgroupBarrier();
    for (var s = 0u; s < DEPTH; s++) {
      let v = shared_j[16 * s + local.x];
      let u = BLOCK * s + 4 * local.y;
      c0 = fma(vec4f(shared_i[u]), v, c0);
      c1 = fma(vec4f(shared_i[u + 1]), v, c1);
      c2 = fma(vec4f(shared_i[u + 2]), v, c2);
      c3 = fma(vec4f(shared_i[u + 3]), v, c3);
    }
    workgroupBarrier();
  }
  let i = first_i + 4 * local.y;
  let j = first_j + 4 * local.x;
  store(c0, i, j);
  store(c1, i + 1, j);
  store(c2, i + 2, j);
  store(c3, i + 3, j);
}
