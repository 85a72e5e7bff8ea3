// The K ≤ 32 largest values of every row and their columns, continuing what earlier blocks of columns left: top_k for
// short lists, which stay in registers.
//
// block    rows × 4·stride values, row-major
// values   K values a row, descending
// indices  their columns in the whole matrix
// params   see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row. Equal values rank by column, the lower first, so the result
// does not depend on how the columns are cut into blocks. Unused places hold the lowest float.
//
// The list occupies the last K of 32 places in descending order, the places before it hold a value that nothing exceeds.
// A new value moves every lesser one a place back, all places at once: L′ᵢ = Lᵢ₋₁ if it exceeds Lᵢ₋₁, else itself if it
// exceeds Lᵢ, else Lᵢ.

override WORKGROUP: u32 = 16;

const LOWEST: f32 = -3.4e38;
const UNREACHED: f32 = 3.4e38;

struct Params {
  rows: u32,
  cols: u32, // columns of the block
  stride: u32, // vec4 per row of the block
  k: u32, // K
  first_col: u32, // number of the block's first column in the whole matrix
  skip_self: u32, // 1: leave out the column whose number is the row's
  self_row: u32, // number of the block's first row in the whole matrix
  begin: u32, // 1: the first columns
  list_row: u32, // row of values and indices that belongs to the block's first row
}

@group(0) @binding(0) var<storage, read> block: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

// The value in a place of the list, before the first column or as earlier blocks left it.
fn load_value(list: u32, place: u32) -> f32 {
  let unused = 32 - params.k;
  if (place < unused) {
    return UNREACHED;
  }
  if (params.begin == 1) {
    return LOWEST;
  }
  return values[list + place - unused];
}

// Its column.
fn load_index(list: u32, place: u32) -> u32 {
  let unused = 32 - params.k;
  if (place < unused || params.begin == 1) {
    return 0xffffffff;
  }
  return indices[list + place - unused];
}

// Four places from `place` on.
fn load_values(list: u32, place: u32) -> vec4f {
  return vec4f(
    load_value(list, place),
    load_value(list, place + 1),
    load_value(list, place + 2),
    load_value(list, place + 3),
  );
}

// Their columns.
fn load_indices(list: u32, place: u32) -> vec4u {
  return vec4u(
    load_index(list, place),
    load_index(list, place + 1),
    load_index(list, place + 2),
    load_index(list, place + 3),
  );
}

// Writes those of four places back that belong to the list.
fn store(list: u32, place: u32, four: vec4f, columns: vec4u) {
  let unused = 32 - params.k;
  for (var c = 0u; c < 4; c++) {
    if (place + c >= unused) {
      values[list + place + c - unused] = four[c];
      indices[list + place + c - unused] = columns[c];
    }
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let list = (params.list_row + id.x) * params.k;
  var v0 = load_values(list, 0);
  var i0 = load_indices(list, 0);
  var v1 = load_values(list, 4);
  var i1 = load_indices(list, 4);
  var v2 = load_values(list, 8);
  var i2 = load_indices(list, 8);
  var v3 = load_values(list, 12);
  var i3 = load_indices(list, 12);
  var v4 = load_values(list, 16);
  var i4 = load_indices(list, 16);
  var v5 = load_values(list, 20);
  var i5 = load_indices(list, 20);
  var v6 = load_values(list, 24);
  var i6 = load_indices(list, 24);
  var v7 = load_values(list, 28);
  var i7 = load_indices(list, 28);
  let quads = (params.cols + 3) / 4;
  for (var q = 0u; q < quads; q++) {
    var four = block[id.x * params.stride + q];
    while (all(four <= vec4f(v7.w)) && q + 1 < quads) {
      q++;
      four = block[id.x * params.stride + q];
    }
    for (var c = 0u; c < 4; c++) {
      let value = four[c];
      let col = 4 * q + c;
      let index = params.first_col + col;
      let own = params.skip_self == 1 && index == params.self_row + id.x;
      if (value <= v7.w || col >= params.cols || own) {
        continue;
      }
      let new4 = vec4f(value);
      let index4 = vec4u(index);
      let s7 = vec4f(v6.w, v7.xyz);
      i7 = select(select(i7, index4, new4 > v7), vec4u(i6.w, i7.xyz), new4 > s7);
      v7 = select(max(v7, new4), s7, new4 > s7);
      let s6 = vec4f(v5.w, v6.xyz);
      i6 = select(select(i6, index4, new4 > v6), vec4u(i5.w, i6.xyz), new4 > s6);
      v6 = select(max(v6, new4), s6, new4 > s6);
      let s5 = vec4f(v4.w, v5.xyz);
      i5 = select(select(i5, index4, new4 > v5), vec4u(i4.w, i5.xyz), new4 > s5);
      v5 = select(max(v5, new4), s5, new4 > s5);
      let s4 = vec4f(v3.w, v4.xyz);
      i4 = select(select(i4, index4, new4 > v4), vec4u(i3.w, i4.xyz), new4 > s4);
      v4 = select(max(v4, new4), s4, new4 > s4);
      let s3 = vec4f(v2.w, v3.xyz);
      i3 = select(select(i3, index4, new4 > v3), vec4u(i2.w, i3.xyz), new4 > s3);
      v3 = select(max(v3, new4), s3, new4 > s3);
      let s2 = vec4f(v1.w, v2.xyz);
      i2 = select(select(i2, index4, new4 > v2), vec4u(i1.w, i2.xyz), new4 > s2);
      v2 = select(max(v2, new4), s2, new4 > s2);
      let s1 = vec4f(v0.w, v1.xyz);
      i1 = select(select(i1, index4, new4 > v1), vec4u(i0.w, i1.xyz), new4 > s1);
      v1 = select(max(v1, new4), s1, new4 > s1);
      let s0 = vec4f(UNREACHED, v0.xyz);
      i0 = select(select(i0, index4, new4 > v0), vec4u(0, i0.xyz), new4 > s0);
      v0 = select(max(v0, new4), s0, new4 > s0);
    }
  }
  store(list, 0, v0, i0);
  store(list, 4, v1, i1);
  store(list, 8, v2, i2);
  store(list, 12, v3, i3);
  store(list, 16, v4, i4);
  store(list, 20, v5, i5);
  store(list, 24, v6, i6);
  store(list, 28, v7, i7);
}
