// −‖x_i − y_j‖², a block of rows against a block of rows: the closer, the larger.
//
// x       n × 4·depth, rows padded with zeros
// y       m × 4·depth, likewise
// out     rows padded to a multiple of 4 columns; columns beyond the last hold the lowest float
// params  extents and offsets, see Params
//
// Dispatch: x = ⌈rows / 8 / WORKGROUP⌉, y = ⌈columns / 4⌉. One invocation makes 8 × 4 values in registers.
// Order of reduction: channels ascending in four interleaved sums, then (0 + 1) + (2 + 3); 1024 channels a dispatch, whose
// sums are added up.

override WORKGROUP: u32 = 8;

const LOWEST: f32 = -3.4e38;

struct Params {
  rows: u32, // rows of the block
  cols: u32, // columns of the block
  depth: u32, // vec4 per row of x and y
  out_stride: u32, // vec4 per row of out
  x_row: u32, // first row of x
  y_row: u32, // first row of y
  out_row: u32, // first row of out
  out_col: u32, // first column of out, in vec4
  begin: u32, // vec4 of a row to look at: from here …
  end: u32, // … to before here
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> y: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// Channels 4 k … 4 k + 3 of row i of x.
fn load_x(i: u32, k: u32) -> vec4f {
  return x[(params.x_row + min(i, params.rows - 1)) * params.depth + k];
}

// Channels 4 k … 4 k + 3 of row j of y.
fn load_y(j: u32, k: u32) -> vec4f {
  return y[(params.y_row + min(j, params.cols - 1)) * params.depth + k];
}

// Adds the squares of four channels' differences, each to a sum of its own.
fn add(s: vec4f, u: vec4f, v: vec4f) -> vec4f {
  let difference = u - v;
  return fma(difference, difference, s);
}

// Adds up four columns' sums and stores them, negated.
fn store(s0: vec4f, s1: vec4f, s2: vec4f, s3: vec4f, i: u32, j: u32) {
  if (i >= params.rows || j >= params.cols) {
    return;
  }
  let t = transpose(mat4x4f(s0, s1, s2, s3));
  let at = (params.out_row + i) * params.out_stride + params.out_col + j / 4;
  var value = -((t[0] + t[1]) + (t[2] + t[3]));
  if (params.begin > 0) {
    value += out[at];
  }
  let inside = vec4u(j, j + 1, j + 2, j + 3) < vec4u(params.cols);
  out[at] = select(vec4f(LOWEST), value, inside);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x * 8;
  let j = id.y * 4;
  if (i >= params.rows) {
    return;
  }
  var s00 = vec4f();
  var s01 = vec4f();
  var s02 = vec4f();
  var s03 = vec4f();
  var s10 = vec4f();
  var s11 = vec4f();
  var s12 = vec4f();
  var s13 = vec4f();
  var s20 = vec4f();
  var s21 = vec4f();
  var s22 = vec4f();
  var s23 = vec4f();
  var s30 = vec4f();
  var s31 = vec4f();
  var s32 = vec4f();
  var s33 = vec4f();
  var s40 = vec4f();
  var s41 = vec4f();
  var s42 = vec4f();
  var s43 = vec4f();
  var s50 = vec4f();
  var s51 = vec4f();
  var s52 = vec4f();
  var s53 = vec4f();
  var s60 = vec4f();
  var s61 = vec4f();
  var s62 = vec4f();
  var s63 = vec4f();
  var s70 = vec4f();
  var s71 = vec4f();
  var s72 = vec4f();
  var s73 = vec4f();
  for (var k = params.begin; k < params.end; k++) {
    let v0 = load_y(j, k);
    let v1 = load_y(j + 1, k);
    let v2 = load_y(j + 2, k);
    let v3 = load_y(j + 3, k);
    let u0 = load_x(i, k);
    s00 = add(s00, u0, v0);
    s01 = add(s01, u0, v1);
    s02 = add(s02, u0, v2);
    s03 = add(s03, u0, v3);
    let u1 = load_x(i + 1, k);
    s10 = add(s10, u1, v0);
    s11 = add(s11, u1, v1);
    s12 = add(s12, u1, v2);
    s13 = add(s13, u1, v3);
    let u2 = load_x(i + 2, k);
    s20 = add(s20, u2, v0);
    s21 = add(s21, u2, v1);
    s22 = add(s22, u2, v2);
    s23 = add(s23, u2, v3);
    let u3 = load_x(i + 3, k);
    s30 = add(s30, u3, v0);
    s31 = add(s31, u3, v1);
    s32 = add(s32, u3, v2);
    s33 = add(s33, u3, v3);
    let u4 = load_x(i + 4, k);
    s40 = add(s40, u4, v0);
    s41 = add(s41, u4, v1);
    s42 = add(s42, u4, v2);
    s43 = add(s43, u4, v3);
    let u5 = load_x(i + 5, k);
    s50 = add(s50, u5, v0);
    s51 = add(s51, u5, v1);
    s52 = add(s52, u5, v2);
    s53 = add(s53, u5, v3);
    let u6 = load_x(i + 6, k);
    s60 = add(s60, u6, v0);
    s61 = add(s61, u6, v1);
    s62 = add(s62, u6, v2);
    s63 = add(s63, u6, v3);
    let u7 = load_x(i + 7, k);
    s70 = add(s70, u7, v0);
    s71 = add(s71, u7, v1);
    s72 = add(s72, u7, v2);
    s73 = add(s73, u7, v3);
  }
  store(s00, s01, s02, s03, i, j);
  store(s10, s11, s12, s13, i + 1, j);
  store(s20, s21, s22, s23, i + 2, j);
  store(s30, s31, s32, s33, i + 3, j);
  store(s40, s41, s42, s43, i + 4, j);
  store(s50, s51, s52, s53, i + 5, j);
  store(s60, s61, s62, s63, i + 6, j);
  store(s70, s71, s72, s73, i + 7, j);
}
