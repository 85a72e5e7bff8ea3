// out = Σ_s slab_s: adds slabs of equal size that a split reduction left behind.
//
// slabs   slabs of `size` vec4, one after the other; those from `first` to before `end` are added up
// out     `size` vec4, from `begin` on
// params  see Params
//
// Dispatch: invocations over vec4, laid out on a grid `width` wide. Order of reduction: slabs ascending in runs of 64, each
// summed by itself; then the runs, ascending, starting from out when `accumulate` is 1.

override WORKGROUP: u32 = 16;

const RUN: u32 = 64;

struct Params {
  size: u32, // vec4 in a slab
  width: u32, // invocations along x
  first: u32, // first slab
  end: u32, // the one after the last, at most 32768 further on
  begin: u32, // first vec4 of out
  accumulate: u32, // 1: add to what out holds
}

@group(0) @binding(0) var<storage, read> slabs: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * params.width + id.x;
  if (i >= params.size) {
    return;
  }
  var sum = vec4f();
  if (params.accumulate == 1) {
    sum = out[params.begin + i];
  }
  for (var run = params.first; run < params.end; run += RUN) {
    var part = vec4f();
    for (var s = run; s < min(run + RUN, params.end); s++) {
      part += slabs[s * params.size + i];
    }
    sum += part;
  }
  out[params.begin + i] = sum;
}
