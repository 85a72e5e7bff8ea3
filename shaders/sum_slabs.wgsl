// out = Σ_s slab_s: adds slabs of equal size that a split reduction left behind.
//
// slabs   `count` slabs of `size` vec4, one after the other
// out     `size` vec4
// params  see Params
//
// Dispatch: x = ⌈size / WORKGROUP⌉. Order of reduction: slabs ascending, starting from out when `accumulate` is 1.

override WORKGROUP: u32 = 16;

struct Params {
  size: u32, // vec4 in a slab
  count: u32, // slabs
  accumulate: u32, // 1: add to what out holds
}

@group(0) @binding(0) var<storage, read> slabs: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.size) {
    return;
  }
  var sum = vec4f();
  if (params.accumulate == 1) {
    sum = out[id.x];
  }
  for (var s = 0u; s < params.count; s++) {
    sum += slabs[s * params.size + id.x];
  }
  out[id.x] = sum;
}
