// p_{j|i} ∝ exp(−β_i d_ij²) over the K neighbours j of point i, β_i such that the entropy of the row is log(perplexity)
// (van der Maaten & Hinton 2008, eq. 1).
//
// distances  −d_ij², K a row, descending (so the nearest comes first)
// p          K probabilities a row, summing to 1
// params     see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row. β by bisection, doubling while it has no upper bound.
// Order of reduction: neighbours in the order of the list.

override WORKGROUP: u32 = 8;

const STEPS: u32 = 64;
const TOLERANCE: f32 = 1e-5;

struct Params {
  rows: u32,
  k: u32, // K
  log_perplexity: f32,
}

@group(0) @binding(0) var<storage, read> distances: array<f32>;
@group(0) @binding(1) var<storage, read_write> p: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let list = id.x * params.k;
  let nearest = distances[list];
  // Distances beyond the nearest, scaled to a mean of 1 so that β starts near its answer.
  var mean = 0.0;
  for (var i = 0u; i < params.k; i++) {
    mean += nearest - distances[list + i];
  }
  mean = max(mean / f32(params.k), 1e-30);
  var beta = 1.0;
  var low = 0.0;
  var high = -1.0; // none yet
  for (var step = 0u; step < STEPS; step++) {
    var sum = 0.0;
    var moment = 0.0;
    for (var i = 0u; i < params.k; i++) {
      let d = (nearest - distances[list + i]) / mean;
      let e = exp(-beta * d);
      sum += e;
      moment += d * e;
    }
    let excess = log(sum) + beta * moment / sum - params.log_perplexity;
    if (abs(excess) < TOLERANCE) {
      break;
    }
    if (excess > 0) {
      low = beta;
      beta = select((beta + high) / 2, beta * 2, high < 0);
    } else {
      high = beta;
      beta = (low + beta) / 2;
    }
  }
  var total = 0.0;
  for (var i = 0u; i < params.k; i++) {
    let e = exp(-beta * (nearest - distances[list + i]) / mean);
    p[list + i] = e;
    total += e;
  }
  for (var i = 0u; i < params.k; i++) {
    p[list + i] /= total;
  }
}
