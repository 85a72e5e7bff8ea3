// C = op(A) · op(B), or C + op(A) · op(B), op(X) = X or Xᵀ, with A and B read as textures: a software adapter gathers a texel
// for all its invocations in a fraction of the time that it takes for a load from storage. The same values in the same order
// as matmul, to the bit.
//
// a       A, m × k (stored k × m when TRANSPOSE_A), row-major, rows padded with zeros to a multiple of 4; vec4 number i of it
//         is texel (i % WIDTH, i / WIDTH)
// b       B, k × n (stored n × k when TRANSPOSE_B), as a
// c       C, rows padded with zeros to a multiple of 4; with several slices of k one m × n slab per slice, to be added up by
//         sum_slabs
// params  extents and offsets of this dispatch, see Params
//
// Dispatch: x · y ≥ blocks / WORKGROUP, x = ACROSS unless y is 1, blocks being ⌈m / 16⌉ times ⌈n / 16⌉, rounded up to panels of
// one width, for each slice. One invocation makes a block of 16 × 16 values of C, whose loops are written out before compiling
// (src/gpu/unroll.ts); with larger ones the loop over k would leave the processor's instruction cache.
// Order of reduction: that of matmul.

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override REST: bool = false; // k is no multiple of 4 and neither operand's rows end there: rows behind the last are zeroed
override HELD: u32 = 0; // what C holds, as `held` of matmul; here it is compiled, a load that is not wanted costs as much as one that is
override WORKGROUP: u32 = 8;

const ROWS: u32 = 16; // of C that an invocation makes
const QUADS: u32 = 4; // vec4 of its columns
const WIDTH: u32 = 2048; // texels in a row of a texture (src/gpu/texture.ts)
const ADD: u32 = 1;
const BEGUN: u32 = 2;
const ACROSS: u32 = 32768; // workgroups in a row of the grid

struct Params {
  m: u32, // rows of C
  n: u32, // columns of C
  k: u32, // inner extent
  slice: u32, // inner extent of one slice, a multiple of 4
  a_stride: u32, // vec4 per stored row of A
  b_stride: u32, // of B
  c_stride: u32, // of C
  a_begin: u32, // vec4 of A where its first row begins
  b_begin: u32, // of B
  c_begin: u32, // of C
}

@group(0) @binding(0) var a: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var b: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// Where the vec4 number `at` is in a texture.
fn texel(at: u32) -> vec2u {
  return vec2u(at % WIDTH, at / WIDTH);
}

// Adds four steps of k to four columns of one row: s + v · m.
fn mac(s: vec4f, v: vec4f, m: mat4x4f) -> vec4f {
  return s + fma(vec4f(v.w), m[3], fma(vec4f(v.z), m[2], fma(vec4f(v.y), m[1], vec4f(v.x) * m[0])));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  // The software adapter reads parameters again wherever they are named.
  let m = params.m;
  let n = params.n;
  let inner = params.k;
  let down = (m + ROWS - 1) / ROWS;
  let along = (n + 4 * QUADS - 1) / (4 * QUADS);
  // Blocks are numbered panel by panel of up to a workgroup of columns, within one row by row: what neighbouring
  // invocations read lies together, and a processor that takes them in order finds the columns of a panel in its cache.
  let panels = (along + WORKGROUP - 1) / WORKGROUP;
  let width = (along + panels - 1) / panels;
  let of_slab = panels * width * down;
  // Slabs of the same blocks follow one another, too, where they fill workgroups: they read the same rows of A.
  let slabs = (inner + params.slice - 1) / params.slice;
  let chunk = id.y * ACROSS + id.x / WORKGROUP;
  var slab = chunk % slabs;
  var number = chunk / slabs * WORKGROUP + id.x % WORKGROUP;
  if (of_slab < 64 * WORKGROUP) {
    slab = (chunk * WORKGROUP + id.x % WORKGROUP) / of_slab;
    number = (chunk * WORKGROUP + id.x % WORKGROUP) % of_slab;
  }
  let panel = number / (width * down);
  let within = number % (width * down);
  let row = within / width * ROWS;
  let col = (panel * width + within % width) * QUADS * 4;
  let k_begin = slab * params.slice;
  let a_stride = params.a_stride;
  let b_stride = params.b_stride;
  let c_stride = params.c_stride;
  if (slab >= slabs || number >= of_slab || col >= n) {
    return;
  }
  let last = min(k_begin + params.slice, inner) - 1;
  var a_at: array<u32, ROWS>; // where every row of op(A) begins; of four when A is stored transposed
  for (var r = 0u; r < ROWS; r++) { // unrolled
    let inside = min(row + r, m - 1);
    a_at[r] = params.a_begin + select(inside * a_stride, inside / 4, TRANSPOSE_A);
  }
  var b_at: array<u32, 16>; // where every column of op(B) begins; of four when B is not stored transposed
  for (var q = 0u; q < 16; q++) { // unrolled
    let inside = min(col + q, n - 1);
    b_at[q] = params.b_begin + select(inside / 4, inside * b_stride, TRANSPOSE_B);
  }
  let at = params.c_begin + (slab * m + row) * c_stride + col / 4;
  var sums: array<array<vec4f, QUADS>, ROWS>;
  if (HELD == BEGUN) {
    for (var r = 0u; r < ROWS; r++) { // unrolled
      for (var q = 0u; q < QUADS; q++) { // unrolled
        if (row + r < m && col + 4 * q < n) {
          sums[r][q] = c[at + r * c_stride + q];
        }
      }
    }
  }
  var k = k_begin / 4;
  loop { // with its end tested last: the software adapter runs a `for` once more, masked
    let rows = min(vec4u(4 * k) + vec4u(0, 1, 2, 3), vec4u(last)); // of what is not stored along k
    var v: array<vec4f, ROWS>;
    if (TRANSPOSE_A) {
      let begin = rows * a_stride;
      for (var r = 0u; r < ROWS; r += 4u) { // unrolled
        let block = transpose(mat4x4f(
          textureLoad(a, texel(a_at[r] + begin.x)),
          textureLoad(a, texel(a_at[r] + begin.y)),
          textureLoad(a, texel(a_at[r] + begin.z)),
          textureLoad(a, texel(a_at[r] + begin.w)),
        ));
        v[r] = block[0];
        v[r + 1] = block[1];
        v[r + 2] = block[2];
        v[r + 3] = block[3];
      }
    } else {
      for (var r = 0u; r < ROWS; r++) { // unrolled
        v[r] = textureLoad(a, texel(a_at[r] + k));
      }
    }
    if (REST) {
      let is_inside = vec4u(4 * k) + vec4u(0, 1, 2, 3) <= vec4u(last);
      for (var r = 0u; r < ROWS; r++) { // unrolled
        v[r] = select(vec4f(), v[r], is_inside);
      }
    }
    for (var q = 0u; q < QUADS; q++) { // unrolled
      var block: mat4x4f;
      if (TRANSPOSE_B) {
        block = transpose(mat4x4f(
          textureLoad(b, texel(b_at[4 * q] + k)),
          textureLoad(b, texel(b_at[4 * q + 1] + k)),
          textureLoad(b, texel(b_at[4 * q + 2] + k)),
          textureLoad(b, texel(b_at[4 * q + 3] + k)),
        ));
      } else {
        let begin = vec4u(b_at[4 * q]) + rows * b_stride;
        block = mat4x4f(
          textureLoad(b, texel(begin.x)),
          textureLoad(b, texel(begin.y)),
          textureLoad(b, texel(begin.z)),
          textureLoad(b, texel(begin.w)),
        );
      }
      for (var r = 0u; r < ROWS; r++) { // unrolled
        sums[r][q] = mac(sums[r][q], v[r], block);
      }
    }
    continuing {
      k++;
      break if (k > last / 4);
    }
  }
  for (var r = 0u; r < ROWS; r++) { // unrolled
    for (var q = 0u; q < QUADS; q++) { // unrolled
      let j = col + 4 * q;
      if (row + r < m && j < n) {
        let inside = vec4u(j, j + 1, j + 2, j + 3) < vec4u(n);
        var sum = sums[r][q];
        if (HELD == ADD) {
          sum = c[at + r * c_stride + q] + sum;
        }
        c[at + r * c_stride + q] = select(vec4f(), sum, inside);
      }
    }
  }
}
