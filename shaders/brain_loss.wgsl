// r = Ŷ + ε − Y for a batch of images; the loss of every entry and its derivative (METHOD (9)):
//   |r| and sign(r), or, with beta > 0, the Huber form r²/(2 beta) and r/beta where |r| < beta, |r| − beta/2 and sign(r)
//   elsewhere.
//
// epsilon    4·stride values, one a voxel, padded with zeros
// response   Y, rows × 4·stride, rows padded with zeros
// prediction Ŷ without ε, the same shape; overwritten with scale · derivative
// loss       one sum of losses for every row and run of columns, from `first` on, the runs of a row side by side
// params     see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, y = ⌈stride / RUN⌉; one invocation RUN vec4 of one row. Order of reduction: columns
// ascending in four interleaved sums, then (0 + 1) + (2 + 3).

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  first: u32, // first entry of loss
  scale: f32,
  beta: f32,
}

@group(0) @binding(0) var<storage, read> epsilon: array<vec4f>;
@group(0) @binding(1) var<storage, read> response: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> prediction: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let huber = params.beta > 0;
  let beta = select(1.0, params.beta, huber);
  var sum = vec4f();
  for (var k = id.y * RUN; k < min((id.y + 1) * RUN, params.stride); k++) {
    let at = id.x * params.stride + k;
    let r = prediction[at] + epsilon[k] - response[at];
    let size = abs(r);
    let inside = vec4<bool>(huber) & (size < vec4f(beta));
    sum += select(size - select(0.0, 0.5 * beta, huber), 0.5 * r * r / beta, inside);
    prediction[at] = params.scale * select(sign(r), r / beta, inside);
  }
  let runs = (params.stride + RUN - 1) / RUN;
  loss[params.first + id.x * runs + id.y] = (sum.x + sum.y) + (sum.z + sum.w);
}
