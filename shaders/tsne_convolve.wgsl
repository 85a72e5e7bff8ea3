// Multiplies the transformed charges ĉ by the transformed forces ĝ of one charge, and sums |ĉ|² k̂ over frequencies: by
// Parseval's theorem Σ_ij k(y_i − y_j) over all pairs of points, with k the kernel whose transform is k̂.
//
// grid     rows × cols, two complex numbers in a vec4: ĉ, then ĉ ĝ
// forces   ĝ, likewise
// kernel   k̂, two real numbers, likewise
// sums     ⌈rows / RUN⌉ × cols, the sum over RUN rows in the 4th
// params   see Params
//
// Dispatch: x = ⌈cols / WORKGROUP⌉, y = ⌈rows / RUN⌉. Order of reduction: rows ascending; both numbers of a vec4 apart.

override WORKGROUP: u32 = 8;

const RUN: u32 = 32;

struct Params {
  rows: u32,
  cols: u32,
  own: f32, // taken off every sum: the pairs of a point with itself
}

@group(0) @binding(0) var<storage, read_write> grid: array<vec4f>;
@group(0) @binding(1) var<storage, read> forces: array<vec4f>;
@group(0) @binding(2) var<storage, read> kernel: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.cols) {
    return;
  }
  var sum = vec2f();
  for (var row = id.y * RUN; row < min((id.y + 1) * RUN, params.rows); row++) {
    let at = row * params.cols + id.x;
    let c = grid[at];
    let g = forces[at];
    grid[at] = c.xxzz * g + vec4f(-c.yy, -c.ww) * g.yxwz * vec4f(1, -1, 1, -1);
    let squares = c * c;
    sum += (squares.xz + squares.yw) * kernel[at];
  }
  sums[id.y * params.cols + id.x] = vec4f(0, 0, 0, sum.x + sum.y - params.own);
}
