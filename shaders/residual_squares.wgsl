// Σ_i (v_ic − λ_c x_ic)² for every column c, by runs of rows: the squared residuals ‖M x_c − λ_c x_c‖², still to be
// added over the runs by sum_slabs.
//
// v       M x, rows × 4·stride, rows padded with zeros
// x       approximate eigenvectors, the same shape
// lambda  their eigenvalues, padded with zeros
// out     one vec4 per run of rows and column group, from run `out_run` on
// params  see Params
//
// Dispatch: x = ⌈rows / RUN / WORKGROUP⌉, y = stride. Order of reduction: rows ascending within a run.

override WORKGROUP: u32 = 8;

const RUN: u32 = 64;

struct Params {
  rows: u32,
  stride: u32, // vec4 per row
  out_run: u32, // first run of out
}

@group(0) @binding(0) var<storage, read> v: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> lambda: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x * RUN >= params.rows) {
    return;
  }
  let value = lambda[id.y];
  var sum = vec4f();
  for (var r = id.x * RUN; r < min((id.x + 1) * RUN, params.rows); r++) {
    let difference = v[r * params.stride + id.y] - value * x[r * params.stride + id.y];
    sum = fma(difference, difference, sum);
  }
  out[(params.out_run + id.x) * params.stride + id.y] = sum;
}
