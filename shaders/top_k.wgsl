// The K largest values of every row and their columns, continuing what earlier blocks of columns left.
//
// block    rows × 4·stride values, row-major
// values   K values a row: descending after the last block; between blocks too with SHORT, else a heap with its worst on top
// indices  their columns in the whole matrix
// params   see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row. Equal values rank by column, the lower first, so the result
// does not depend on how the columns are cut into blocks. Unused places hold the lowest float.
//
// With SHORT, for K ≤ 32, the list stays in registers. It occupies the last K of 32 places in descending order, the places before
// it hold a value that nothing exceeds. A new value moves every lesser one a place back, all places at once: L′ᵢ = Lᵢ₋₁ if it
// exceeds Lᵢ₋₁, else itself if it exceeds Lᵢ, else Lᵢ.

override SHORT: bool = false;
override WORKGROUP: u32 = 8;

const LOWEST: f32 = -3.4e38;
const UNREACHED: f32 = 3.4e38;
const UNUSED: u32 = 0xffffffff; // column of an unused place

struct Params {
  rows: u32,
  cols: u32, // columns of the block
  stride: u32, // vec4 per row of the block
  k: u32, // K
  first_col: u32, // number of the block's first column in the whole matrix
  skip_self: u32, // 1: leave out the column whose number is the row's
  self_row: u32, // number of the block's first row in the whole matrix
  begin: u32, // 1: the first columns
  finish: u32, // 1: the last columns
  list_row: u32, // row of values and indices that belongs to the block's first row
}

@group(0) @binding(0) var<storage, read> block: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

// Whether the first of two entries ranks behind the second.
fn worse(value: f32, index: u32, other: f32, other_index: u32) -> bool {
  return value < other || (value == other && index > other_index);
}

// Puts an entry on top of a heap of `size` and lets it sink to its place.
fn sink(heap: u32, size: u32, value: f32, index: u32) {
  var at = 0u;
  loop {
    var child = 2 * at + 1;
    if (child >= size) {
      break;
    }
    var child_value = values[heap + child];
    var child_index = indices[heap + child];
    if (child + 1 < size) {
      let right_value = values[heap + child + 1];
      let right_index = indices[heap + child + 1];
      if (worse(right_value, right_index, child_value, child_index)) {
        child++;
        child_value = right_value;
        child_index = right_index;
      }
    }
    if (!worse(child_value, child_index, value, index)) {
      break;
    }
    values[heap + at] = child_value;
    indices[heap + at] = child_index;
    at = child;
  }
  values[heap + at] = value;
  indices[heap + at] = index;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) {
    return;
  }
  let list = (params.list_row + id.x) * params.k;
  if (params.begin == 1) {
    for (var i = 0u; i < params.k; i++) {
      values[list + i] = LOWEST;
      indices[list + i] = UNUSED;
    }
  }
  let unused = 32 - params.k; // places before a short list
  var v: array<vec4f, 9>; // from 1 on the short list, four places each, behind a value that nothing exceeds
  var columns: array<vec4u, 9>;
  var worst = vec4f(values[list]);
  if (SHORT) {
    v[0] = vec4f(UNREACHED);
    for (var place = 0u; place < 32; place++) { // unrolled
      v[place / 4 + 1][place % 4] = UNREACHED;
      columns[place / 4 + 1][place % 4] = UNUSED;
      if (place >= unused) {
        v[place / 4 + 1][place % 4] = values[list + place - unused];
        columns[place / 4 + 1][place % 4] = indices[list + place - unused];
      }
    }
    worst = vec4f(v[8].w);
  }
  let quads = (params.cols + 3) / 4;
  for (var q = 0u; q < quads; q++) {
    var four = block[id.x * params.stride + q];
    while (all(four <= worst) && q + 1 < quads) {
      q++;
      four = block[id.x * params.stride + q];
    }
    for (var c = 0u; c < 4; c++) {
      let value = four[c];
      let col = 4 * q + c;
      let index = params.first_col + col;
      let own = params.skip_self == 1 && index == params.self_row + id.x;
      if (value <= worst.x || col >= params.cols || own) {
        continue;
      }
      if (SHORT) {
        let entry = vec4f(value);
        for (var p = 0u; p < 8; p++) { // unrolled
          let old = v[8 - p];
          let before = vec4f(v[7 - p].w, old.xyz);
          let column = columns[8 - p];
          let column_before = vec4u(columns[7 - p].w, column.xyz);
          columns[8 - p] = select(select(column, vec4u(index), entry > old), column_before, entry > before);
          v[8 - p] = select(max(old, entry), before, entry > before);
        }
        worst = vec4f(v[8].w);
      } else {
        sink(list, params.k, value, index);
        worst = vec4f(values[list]);
      }
    }
  }
  if (SHORT) {
    for (var place = 0u; place < 32; place++) { // unrolled
      if (place >= unused) {
        values[list + place - unused] = v[place / 4 + 1][place % 4];
        indices[list + place - unused] = columns[place / 4 + 1][place % 4];
      }
    }
  } else if (params.finish == 1) {
    for (var size = params.k; size > 1; size--) {
      let value = values[list];
      let index = indices[list];
      sink(list, size - 1, values[list + size - 1], indices[list + size - 1]);
      values[list + size - 1] = value;
      indices[list + size - 1] = index;
    }
  }
}
