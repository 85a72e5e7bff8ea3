// Columns of op(B) in blocks of 32 or 16, for kernels that read them as uniform buffers: the values of one row of a block lie
// together, its rows follow one another, and whole blocks fill slices of 64 KiB. op(X) = X or Xᵀ.
//
// b       B, k × n (stored n × k when TRANSPOSE), row-major, rows padded to a multiple of 4
// out     slices of 4096 vec4; value (k, c) of block b of slice s in out[4096 s + QUADS (b · depth + k) + c / 4][c % 4],
//         zeros beyond the last row and the last column
// params  extents and offsets, see Params
//
// Dispatch: x = ⌈depth / 4 / WORKGROUP⌉, y = QUADS · blocks, four columns each. No reduction.

override TRANSPOSE: bool = false;
override WORKGROUP: u32 = 8;
override QUADS: u32 = 8; // vec4 of a row of a block

const SLICE: u32 = 4096;

struct Params {
  n: u32, // columns
  k: u32, // rows
  depth: u32, // rows of a block, k rounded up to a multiple of 4
  stride: u32, // vec4 per stored row of B
  row: u32, // first stored row of B
  col: u32, // first stored column of B, in vec4
  blocks: u32, // blocks in a slice
}

@group(0) @binding(0) var<storage, read> b: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

// Zeroes what lies at or beyond `limit` in a vec4 whose first element is number `first`.
fn keep(v: vec4f, first: u32, limit: u32) -> vec4f {
  return select(vec4f(), v, vec4u(first, first + 1, first + 2, first + 3) < vec4u(limit));
}

// Row k of B at columns col … col + 3.
fn load(k: u32, col: u32) -> vec4f {
  if (k >= params.k || col >= params.n) {
    return vec4f();
  }
  return keep(b[(params.row + k) * params.stride + params.col + col / 4], col, params.n);
}

// Stored row `col` of the transposed B at k … k + 3.
fn load_transposed(k: u32, col: u32) -> vec4f {
  if (k >= params.k || col >= params.n) {
    return vec4f();
  }
  return keep(b[(params.row + col) * params.stride + params.col + k / 4], k, params.k);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x * 4;
  if (k >= params.depth) {
    return;
  }
  let col = id.y * 4;
  var values: mat4x4f;
  if (TRANSPOSE) {
    values = transpose(mat4x4f(
      load_transposed(k, col),
      load_transposed(k, col + 1),
      load_transposed(k, col + 2),
      load_transposed(k, col + 3),
    ));
  } else {
    values = mat4x4f(load(k, col), load(k + 1, col), load(k + 2, col), load(k + 3, col));
  }
  let block = id.y / QUADS;
  let slice = block / params.blocks;
  let at = slice * SLICE + (block % params.blocks * params.depth + k) * QUADS + id.y % QUADS;
  out[at] = values[0];
  out[at + QUADS] = values[1];
  out[at + 2 * QUADS] = values[2];
  out[at + 3 * QUADS] = values[3];
}
