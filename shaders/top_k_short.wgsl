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
  var v: array<vec4f, 9>; // from 1 on the list, four places each, behind a value that nothing exceeds
  var columns: array<vec4u, 9>;
  v[0] = vec4f(UNREACHED);
  for (var p = 0u; p < 8; p++) { // unrolled
    for (var c = 0u; c < 4; c++) { // unrolled
      v[p + 1][c] = load_value(list, 4 * p + c);
      columns[p + 1][c] = load_index(list, 4 * p + c);
    }
  }
  let quads = (params.cols + 3) / 4;
  for (var q = 0u; q < quads; q++) {
    var four = block[id.x * params.stride + q];
    while (all(four <= vec4f(v[8].w)) && q + 1 < quads) {
      q++;
      four = block[id.x * params.stride + q];
    }
    for (var c = 0u; c < 4; c++) {
      let value = four[c];
      let col = 4 * q + c;
      let index = params.first_col + col;
      let own = params.skip_self == 1 && index == params.self_row + id.x;
      if (value <= v[8].w || col >= params.cols || own) {
        continue;
      }
      let entry = vec4f(value);
      for (var p = 0u; p < 8; p++) { // unrolled
        let old = v[8 - p];
        let before = vec4f(v[7 - p].w, old.xyz);
        let column = columns[8 - p];
        let column_before = vec4u(columns[7 - p].w, column.xyz);
        columns[8 - p] = select(select(column, vec4u(index), entry > old), column_before, entry > before);
        v[8 - p] = select(max(old, entry), before, entry > before);
      }
    }
  }
  for (var p = 0u; p < 8; p++) { // unrolled
    store(list, 4 * p, v[p + 1], columns[p + 1]);
  }
}
