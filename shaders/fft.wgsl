// One pass of a discrete Fourier transform along one axis of a grid, in place: butterflies of radix R, by decimation in
// frequency (Gentleman & Sande 1966), or the same undone. Two complex numbers lie in a vec4 and are transformed alike.
//   forward  with a_p = grid[b m R + j + p m] for p < R, every j < m and every block b of m R places:
//            grid[b m R + j + place(q) m] ← exp(−2πi j q / (m R)) Σ_p a_p exp(−2πi p q / R)
//   inverse  its conjugate transpose: R times the forward pass undone
// place(q) reverses the bits of q, but for R = 3. The passes of an axis, m = length / R, …, 1, leave the frequencies in
// places that src/linalg/fft.ts lists; the inverse begins from there.
//
// grid     (re, im, re, im)
// roots    exp(−2πi k / count), count a multiple of m R
// params   see Params
//
// Dispatch: butterflies of a line, and lines; along rows x = butterflies, y = lines, else the other way round, so that
// invocations side by side read side by side. Order of reduction: pairs of halves.

override WORKGROUP: u32 = 8;
override RADIX: u32 = 8; // R: 2, 3, 4 or 8
override ROWS: u32 = 0; // 1: places of a line are neighbours
override INVERSE: u32 = 0;
override LOADED: u32 = 8; // places p that are read; the others are zero
override STORED: u32 = 8; // places p that are written; nobody reads the others

const MOST: u32 = 8; // largest R
const STAGES: u32 = 3;
const PAIRS: u32 = 4;

struct Params {
  m: u32, // from one number of a butterfly to the next
  turn: u32, // count / (m R)
  butterflies: u32, // of a line
  lines: u32,
  along: u32, // vec4 from a place to the next
  across: u32, // vec4 from a line to the next
}

@group(0) @binding(0) var<storage, read_write> grid: array<vec4f>;
@group(0) @binding(1) var<storage, read> roots: array<vec2f>;
@group(0) @binding(2) var<uniform> params: Params;

// i times both numbers.
fn quarter(v: vec4f) -> vec4f {
  return vec4f(-v.y, v.x, -v.w, v.z);
}

// w times both numbers.
fn turned(v: vec4f, w: vec2f) -> vec4f {
  return v * w.x + quarter(v) * w.y;
}

fn product(a: vec2f, b: vec2f) -> vec2f {
  return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// A root of the table, conjugate for the inverse.
fn table(k: u32) -> vec2f {
  let w = roots[k];
  return vec2f(w.x, select(w.y, -w.y, INVERSE == 1));
}

// exp(∓2πi k / 8) times both numbers, k < 4.
fn by_root(v: vec4f, k: u32) -> vec4f {
  if (k == 0) {
    return v;
  }
  let angle = 0.7853981633974483 * f32(k);
  return turned(v, vec2f(cos(angle), select(-sin(angle), sin(angle), INVERSE == 1)));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let u = select(id.y, id.x, ROWS == 1);
  let line = select(id.x, id.y, ROWS == 1);
  if (u >= params.butterflies || line >= params.lines) {
    return;
  }
  let m = params.m;
  let j = u % m;
  let at = line * params.across + (u / m * m * RADIX + j) * params.along;
  let step = m * params.along;
  var v: array<vec4f, MOST>;
  for (var p = 0u; p < MOST; p++) { // unrolled
    if (p < LOADED && p < RADIX) {
      v[p] = grid[at + p * step];
    }
  }
  if (RADIX == 3) {
    let sum = v[1] + v[2];
    let half = 0.8660254037844386 * quarter(v[1] - v[2]);
    let middle = v[0] - 0.5 * sum;
    v[0] += sum;
    v[1] = select(middle - half, middle + half, INVERSE == 1);
    v[2] = select(middle + half, middle - half, INVERSE == 1);
  } else {
    var t: array<vec2f, MOST>; // factors of the places
    t[0] = vec2f(1, 0);
    for (var i = 0u; i < STAGES; i++) { // unrolled
      if ((1u << i) < RADIX) {
        let w = table(j * params.turn * (RADIX >> (i + 1)));
        for (var k = 0u; k < PAIRS; k++) { // unrolled
          if (k < (1u << i)) {
            t[(1u << i) + k] = product(t[k], w);
          }
        }
      }
    }
    if (INVERSE == 0) {
      for (var s = 0u; s < STAGES; s++) { // unrolled
        const half = 4u >> s;
        if (half < RADIX) {
          for (var i = 0u; i < PAIRS; i++) { // unrolled
            const a = i / half * 2u * half + i % half;
            if (i < RADIX / 2) {
              let difference = v[a] - v[a + half];
              v[a] += v[a + half];
              v[a + half] = by_root(difference, i % half * (4u / half));
            }
          }
        }
      }
    }
    for (var p = 1u; p < MOST; p++) { // unrolled
      if (p < RADIX) {
        v[p] = turned(v[p], t[p]);
      }
    }
    if (INVERSE == 1) {
      for (var s = 0u; s < STAGES; s++) { // unrolled
        const half = 1u << s;
        if (half < RADIX) {
          for (var i = 0u; i < PAIRS; i++) { // unrolled
            const a = i / half * 2u * half + i % half;
            if (i < RADIX / 2) {
              let other = by_root(v[a + half], i % half * (4u / half));
              v[a + half] = v[a] - other;
              v[a] += other;
            }
          }
        }
      }
    }
  }
  for (var p = 0u; p < MOST; p++) { // unrolled
    if (p < STORED && p < RADIX) {
      grid[at + p * step] = v[p];
    }
  }
}
