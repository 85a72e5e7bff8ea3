// Spreads points over the nodes of a grid with quadratic B-splines: charge_ab = Σ_i b(x_i − a) b(y_i − b), where x_i, y_i
// are the coordinates of point i in steps of the grid and b(t) = 3/4 − t² for |t| ≤ 1/2, (3/2 − |t|)² / 2 for |t| ≤ 3/2.
//
// y        n points
// charges  nodes × nodes, row-major, zero before: whole numbers, charge_ab times `scale`, so that the order in which they
//          are added does not matter
// params   see Params
//
// Dispatch: x = ⌈n / WORKGROUP⌉, one invocation a point. All points lie 3/2 steps or more from the grid's border.

override WORKGROUP: u32 = 8;

struct Params {
  n: u32,
  nodes: u32, // in a row
  centre_x: f32, // what lies in the middle of the grid
  centre_y: f32,
  per_unit: f32, // steps per unit of y
  scale: f32,
}

@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> charges: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> params: Params;

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
  let down = weights(place.y - middle.y) * params.scale;
  let first = (u32(middle.y) - 1) * params.nodes + u32(middle.x) - 1;
  for (var b = 0u; b < 3; b++) { // unrolled
    for (var a = 0u; a < 3; a++) { // unrolled
      atomicAdd(&charges[first + b * params.nodes + a], u32(down[b] * across[a] + 0.5));
    }
  }
}
