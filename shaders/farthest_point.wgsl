// One step of farthest point sampling (Gonzalez 1985): takes the point farthest from all taken so far, and brings every
// point's squared distance to the taken ones up to date.
//
// points     n × 8 coordinates, row-major
// distances  n squared distances to the nearest taken point; −1 once a point is taken itself
// partials   2 × groups pairs (bits of the largest distance, its point's number): read from the half of the step's
//            parity, written to the other
// taken      numbers of the taken points, in the order of taking
// params     see Params
//
// Dispatch: x = groups, the same in every step; step 0 takes the point `start`. Every workgroup finds the point to take
// from the partials by itself, so that a step is one dispatch. Equal distances rank by number, the lower first, so the
// result does not depend on the number of workgroups. One lane compares for its workgroup: on the software adapter a
// barrier costs more than the comparisons it would save.

override WORKGROUP: u32 = 64;

struct Params {
  n: u32, // points
  step: u32, // number of this step
  groups: u32, // workgroups
  start: u32, // the first point
}

@group(0) @binding(0) var<storage, read> points: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> distances: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> taken: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> chosen_point: u32;
var<workgroup> lane_best: array<vec2u, WORKGROUP>;

// The one of two (bits of distance, number) that ranks first.
fn farther(a: vec2u, b: vec2u) -> vec2u {
  let x = bitcast<f32>(a.x);
  let y = bitcast<f32>(b.x);
  return select(a, b, y > x || (y == x && b.y < a.y));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let read_half = (params.step % 2) * params.groups;
  let write_half = params.groups - read_half;
  if (lane == 0) {
    var best = vec2u(0, params.start);
    if (params.step > 0) {
      best = partials[read_half];
      for (var g = 1u; g < params.groups; g++) {
        best = farther(best, partials[read_half + g]);
      }
    }
    chosen_point = best.y;
    if (group.x == 0) {
      taken[params.step] = best.y;
    }
  }
  workgroupBarrier();
  let chosen = chosen_point;

  let c0 = points[2 * chosen];
  let c1 = points[2 * chosen + 1];
  var farthest = -2.0;
  var farthest_point = 0xffffffffu;
  for (var i = group.x * WORKGROUP + lane; i < params.n; i += params.groups * WORKGROUP) {
    let d0 = points[2 * i] - c0;
    let d1 = points[2 * i + 1] - c1;
    let squares = fma(d0, d0, d1 * d1);
    let nearest = min(distances[i], (squares.x + squares.y) + (squares.z + squares.w));
    let distance = select(nearest, -1.0, i == chosen);
    distances[i] = distance;
    let is_farther = distance > farthest;
    farthest = select(farthest, distance, is_farther);
    farthest_point = select(farthest_point, i, is_farther);
  }
  lane_best[lane] = vec2u(bitcast<u32>(farthest), farthest_point);
  workgroupBarrier();
  if (lane == 0) {
    var best = lane_best[0];
    for (var l = 1u; l < WORKGROUP; l++) {
      best = farther(best, lane_best[l]);
    }
    partials[write_half + group.x] = best;
  }
}
