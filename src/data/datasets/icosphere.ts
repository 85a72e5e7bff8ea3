/**
 * FreeSurfer's subdivided icosahedron, the mesh of fsaverage (7 subdivisions), fsaverage6 and fsaverage5: the vertices of a
 * coarser mesh are the first ones of every finer mesh. Nothing is read: the mesh follows from twelve vertices.
 */

/** A mesh of the unit sphere. */
export interface Icosphere {
  /** vertices × 3: x, y, z. */
  places: Float64Array;
  /** faces × 3 vertices, counterclockwise seen from outside. */
  faces: Uint32Array;
  /** Of each vertex but the first twelve, the two ends of the edge that it halves: (vertices − 12) × 2. */
  parents: Uint32Array;
}

/** Subdivisions of fsaverage. */
export const FSAVERAGE = 7;
/** Subdivisions of fsaverage5. */
export const FSAVERAGE5 = 5;

// deno-fmt-ignore
const FACES = [
  [0, 3, 4], [0, 4, 5], [0, 5, 1], [0, 1, 2], [0, 2, 3], [3, 2, 8], [3, 8, 9], [3, 9, 4], [4, 9, 10], [4, 10, 5],
  [5, 10, 6], [5, 6, 1], [1, 6, 7], [1, 7, 2], [2, 7, 8], [8, 11, 9], [9, 11, 10], [10, 11, 6], [6, 11, 7], [7, 11, 8],
];

/** Vertices after N = 0, 1, 2, … subdivisions: 12, 42, 162, 642, 2,562, 10,242, 40,962, 163,842. */
export function vertexCount(subdivisions: number): number {
  return 10 * 4 ** subdivisions + 2;
}

/**
 * Builds a mesh with vertices and faces numbered as FreeSurfer numbers them: a face (a, b, c) halves its edges in the order
 * ca, bc, ab; its corner at a stays in its place in the list, its other three parts are appended.
 *
 * @param subdivisions 0 to 7
 */
export function icosphere(subdivisions: number): Icosphere {
  const places = new Float64Array(3 * vertexCount(subdivisions));
  const parents = new Uint32Array(2 * (vertexCount(subdivisions) - 12));
  places.set(icosahedron());
  let faces = Uint32Array.from(FACES.flat()), vertices = 12;
  for (let level = 0; level < subdivisions; level++) {
    const finer = new Uint32Array(4 * faces.length);
    // Of each vertex the other ends of its edges, at most six, and the vertices in their middles.
    const others = new Uint32Array(6 * vertices), middles = new Uint32Array(6 * vertices);
    const halve = (one: number, other: number) => {
      const a = Math.min(one, other), b = Math.max(one, other);
      let slot = 6 * a;
      while (middles[slot] > 0 && others[slot] !== b) slot++;
      if (middles[slot] > 0) return middles[slot];
      [others[slot], middles[slot]] = [b, vertices];
      parents[2 * (vertices - 12)] = a;
      parents[2 * (vertices - 12) + 1] = b;
      const x = places[3 * a] + places[3 * b];
      const y = places[3 * a + 1] + places[3 * b + 1];
      const z = places[3 * a + 2] + places[3 * b + 2];
      const length = Math.sqrt(x * x + y * y + z * z);
      places[3 * vertices] = x / length;
      places[3 * vertices + 1] = y / length;
      places[3 * vertices + 2] = z / length;
      return vertices++;
    };
    for (let first = 0; first < faces.length; first += 3) {
      const a = faces[first], b = faces[first + 1], c = faces[first + 2];
      const ca = halve(c, a), bc = halve(b, c), ab = halve(a, b);
      finer.set([a, ab, ca], first);
      finer.set([ca, bc, c, ab, bc, ca, ab, b, bc], faces.length + 3 * first);
    }
    faces = finer;
  }
  return { places, faces, parents };
}

/** Twelve vertices: the poles on z, and two rings of five. */
function icosahedron(): number[] {
  const height = 1 / Math.sqrt(5), radius = 2 * height;
  const cosines = [1, (Math.sqrt(5) - 1) / 4, (-Math.sqrt(5) - 1) / 4]; // of 0°, 72°, 144°
  const [, s72, s144] = cosines.map((cosine) => Math.sqrt(1 - cosine * cosine));
  const [, c72, c144] = cosines;
  const upper = [[c72, -s72], [1, 0], [c72, s72], [c144, s144], [c144, -s144]];
  const lower = [[-c72, -s72], [-c144, -s144], [-c144, s144], [-c72, s72], [-1, 0]];
  const ring = (directions: number[][], z: number) =>
    directions.flatMap(([x, y]) => [radius * x, radius * y, z]);
  return [0, 0, 1, ...ring(upper, height), ...ring(lower, -height), 0, 0, -1];
}

let fsaverage: Icosphere | undefined, nearest: Uint16Array | undefined;

/** The sphere of fsaverage, made once in a process. */
export function fsaverageSphere(): Icosphere {
  return fsaverage ??= icosphere(FSAVERAGE);
}

/**
 * Of each vertex of fsaverage the nearest of fsaverage5 on the sphere, of those as near the one with the lowest number. The
 * first 10,242 are their own nearest.
 *
 * @returns 163,842 numbers below 10,242
 */
export function nearestOnFsaverage5(): Uint16Array {
  return nearest ??= findNearest(fsaverageSphere());
}

function findNearest({ places, parents }: Icosphere): Uint16Array {
  const coarse = vertexCount(FSAVERAGE5), finer = vertexCount(FSAVERAGE5 + 1);
  const nearest = Uint16Array.from({ length: vertexCount(FSAVERAGE) }, (_, vertex) => vertex);
  const ends = (vertex: number) =>
    vertex < coarse ? [vertex] : [parents[2 * (vertex - 12)], parents[2 * (vertex - 12) + 1]];
  for (let vertex = coarse; vertex < nearest.length; vertex++) {
    let best = -1, most = -Infinity;
    const candidates = vertex < finer ? ends(vertex) : ends(vertex).flatMap(ends);
    for (const candidate of candidates) {
      const cosine = places[3 * candidate] * places[3 * vertex] +
        places[3 * candidate + 1] * places[3 * vertex + 1] +
        places[3 * candidate + 2] * places[3 * vertex + 2];
      const isNearer = cosine > most + TIE;
      if (!isNearer && !(cosine > most - TIE && candidate < best)) continue;
      [best, most] = [candidate, Math.max(most, cosine)];
    }
    nearest[vertex] = best;
  }
  return nearest;
}

/** Cosines that differ by less are of distances that are equal but for rounding. */
const TIE = 1e-12;
