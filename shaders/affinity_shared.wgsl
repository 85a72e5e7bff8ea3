// A_ij = exp(x̂_i · x̂_j − 1) as in affinity, in blocks of 64 × 64 that a workgroup keeps in shared memory: for graphics
// cards, as matmul_shared. Bindings, parameters, and the values to the bit are those of affinity.
//
// xi      unit rows x̂_i, row-major, rows padded with zeros to a multiple of 4
// xj      unit rows x̂_j, likewise
// out     A, rows padded with zeros to a multiple of 4 columns
// params  extents and offsets, see Params
//
// Dispatch: x = ⌈rows / 64⌉, y = ⌈columns / 64⌉. One workgroup makes 64 × 64 values, one invocation 4 × 4 of them in
// registers.
// Order of reduction: channels ascending, one after the other.

const BLOCK: u32 = 64; // rows and columns of a block
const DEPTH: u32 = 16; // channels that are shared at a time

struct Params {
  rows: u32, // rows of the block
  cols: u32, // columns of the block
  depth: u32, // channels, a multiple of 4
  out_stride: u32, // vec4 per row of out
  i_row: u32, // first row of xi
  j_row: u32, // first row of xj
  out_row: u32, // first row of out
  out_col: u32, // first column of out, in vec4
}

@group(0) @binding(0) var<storage, read> xi: array<vec4f>;
@group(0) @binding(1) var<storage, read> xj: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// Channels of the block's rows and columns, 64 values a channel.
var<workgroup> shared_i: array<f32, 1024>;
var<workgroup> shared_j: array<vec4f, 256>;

// Channels k … k + 3 of row i, zeros beyond the last.
fn load_i(i: u32, k: u32) -> vec4f {
  let at = (params.i_row + min(i, params.rows - 1)) * params.depth / 4;
  return select(vec4f(), xi[at + min(k, params.depth - 4) / 4], k < params.depth);
}

// Channels k … k + 3 of row j, zeros beyond the last.
fn load_j(j: u32, k: u32) -> vec4f {
  let at = (params.j_row + min(j, params.cols - 1)) * params.depth / 4;
  return select(vec4f(), xj[at + min(k, params.depth - 4) / 4], k < params.depth);
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

// Turns four cosines into affinities and stores them, zeros beyond the last column.
fn store(cosines: vec4f, i: u32, j: u32) {
  if (i < params.rows && j < params.cols) {
    let value = exp(min(cosines, vec4f(1)) - vec4f(1));
    let at = (params.out_row + i) * params.out_stride + params.out_col + j / 4;
    out[at] = select(vec4f(), value, vec4u(j, j + 1, j + 2, j + 3) < vec4u(params.cols));
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
  for (var k = 0u; k < params.depth; k += DEPTH) {
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
