// The K largest values of every row and their columns, continuing what earlier blocks of columns left.
//
// block    rows × 4·stride values, row-major
// values   K values a row: a heap with its worst on top between blocks, descending after the last block
// indices  their columns in the whole matrix
// params   see Params
//
// Dispatch: x = ⌈rows / WORKGROUP⌉, one invocation a row. Equal values rank by column, the lower first, so the result
// does not depend on how the columns are cut into blocks. Unused places hold the lowest float.

override WORKGROUP: u32 = 8;

const LOWEST: f32 = -3.4e38;

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
  let heap = (params.list_row + id.x) * params.k;
  if (params.begin == 1) {
    for (var i = 0u; i < params.k; i++) {
      values[heap + i] = LOWEST;
      indices[heap + i] = 0xffffffff;
    }
  }
  var worst = values[heap];
  for (var q = 0u; q < (params.cols + 3) / 4; q++) {
    let four = block[id.x * params.stride + q];
    if (all(four <= vec4f(worst))) {
      continue;
    }
    for (var c = 0u; c < 4; c++) {
      let col = 4 * q + c;
      let index = params.first_col + col;
      let own = params.skip_self == 1 && index == params.self_row + id.x;
      if (col < params.cols && !own && four[c] > worst) {
        sink(heap, params.k, four[c], index);
        worst = values[heap];
      }
    }
  }
  if (params.finish == 1) {
    for (var size = params.k; size > 1; size--) {
      let value = values[heap];
      let index = indices[heap];
      sink(heap, size - 1, values[heap + size - 1], indices[heap + size - 1]);
      values[heap + size - 1] = value;
      indices[heap + size - 1] = index;
    }
  }
}
