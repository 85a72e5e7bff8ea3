// The force on every point from the nodes around it, with the weights b of tsne_spread: Σ_ab b(x_i − a) b(y_i − b) F_ab.
// Rows y and y + nodes share a vec4, and the last step of the transform down the columns is taken here:
//   F[y, x] = u + exp(+2πi y / (2 nodes)) v,  (u, v) = grid[y, x].
//
// y       n points
// grid    nodes × 2 nodes, force across and down as real and imaginary part
// roots   exp(−2πi k / (2 nodes))
// out     n forces, the 3rd and 4th coordinate 0
// params  see Params
//
// Dispatch: x = ⌈n / WORKGROUP⌉, one invocation a point. Order of reduction: nodes row by row.

override WORKGROUP: u32 = 8;

struct Params {
  n: u32,
  nodes: u32, // in a row
  centre_x: f32, // what lies in the middle of the grid
  centre_y: f32,
  per_unit: f32, // steps per unit of y
}

@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> grid: array<vec4f>;
@group(0) @binding(2) var<storage, read> roots: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

// b at the three nodes around a point that is t from the middle one.
fn weights(t: f32) -> vec3f {
  return vec3f(0.5 * (0.5 - t) * (0.5 - t), 0.75 - t * t, 0.5 * (0.5 + t) * (0.5 + t));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.n) {
    return;
  }
  let place = (y[id.x].xy - vec2f(params.centre_x, params.centre_y)) * params.per_unit + f32(params.nodes / 2);
  let middle = clamp(round(place), vec2f(1), vec2f(f32(params.nodes - 2)));
  let across = weights(place.x - middle.x);
  let down = weights(place.y - middle.y);
  let row = u32(middle.y) - 1;
  let column = u32(middle.x) - 1;
  var force = vec2f();
  for (var b = 0u; b < 3; b++) { // unrolled
    var f = vec4f();
    for (var a = 0u; a < 3; a++) { // unrolled
      f += across[a] * grid[2 * (row + b) * params.nodes + column + a];
    }
    let w = roots[row + b];
    force += down[b] * (f.xy + vec2f(f.z * w.x + f.w * w.y, f.w * w.x - f.z * w.y));
  }
  out[id.x] = vec4f(force, 0, 0);
}
