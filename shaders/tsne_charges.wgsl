// Lays charges out for a Fourier transform of twice as many rows and columns, the others zero, and clears them. Rows y and
// y + nodes share a vec4; the first step of the transform down the columns, by halves, is taken here:
//   grid[y, x] = (c, c exp(−2πi y / (2 nodes))),  c = charges[y, x] / scale.
//
// charges  nodes × nodes whole numbers, zero afterwards
// roots    exp(−2πi k / (2 nodes))
// grid     nodes × 2 nodes; the first half of every row is written
// params   see Params
//
// Dispatch: x = ⌈nodes / WORKGROUP⌉, y = nodes. No reduction.

override WORKGROUP: u32 = 8;

struct Params {
  nodes: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read_write> charges: array<u32>;
@group(0) @binding(1) var<storage, read> roots: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> grid: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let nodes = params.nodes;
  if (id.x >= nodes) {
    return;
  }
  let at = id.y * nodes + id.x;
  let c = f32(charges[at]) / params.scale;
  charges[at] = 0;
  grid[2 * id.y * nodes + id.x] = vec4f(c, 0, c * roots[id.y]);
}
