/** Where on fsaverage the simulated subject's voxels lie: regions at published places, laid out by their retinotopic maps. */
import landmarks from "../../fixtures/subject/landmarks.json" with { type: "json" };
import { cosine, sine } from "../../fixtures/scenes/trigonometry.ts";
import { type Hemisphere, HEMISPHERES } from "../data/datasets/subject.ts";
import { FSAVERAGE5, fsaverageSphere, nearestOnFsaverage5, vertexCount } from "../data/datasets/icosphere.ts";
import type { SimulatedSubject } from "./subject_voxels.ts";

type Vector = readonly [number, number, number];

/**
 * V1 to V3 on the sphere, in degrees around a point BEFORE the fovea's landmark: eccentricity grows with the distance from it,
 * the horizontal meridian of V1 is straight, and a band's width tapers towards the fovea.
 */
const BEFORE = 4, INNER = 8, LENGTH = 26, TAPER = 0.55;
/** Ends of V1, V2 and V3 across the bands, from V1's horizontal meridian, at the periphery. */
const BANDS: Readonly<Record<string, readonly [number, number]>> = {
  V1: [0, 11.5],
  V2: [11.5, 19.5],
  V3: [19.5, 26.5],
};
/** Radius of the other regions, and vertices of fsaverage that they claim for a voxel. */
const RADII: Readonly<Record<string, number>> = {
  V4: 6.5,
  EBA: 6.5,
  FBA: 5.5,
  OFA: 4.8,
  FFA: 5.8,
  OPA: 5.6,
  PPA: 6,
  OWFA: 4,
  VWFA: 5,
};
const CLAIMED = 5;
/**
 * Degrees that other regions keep from voxels of V1 to V3; radii within which a region stays around where it starts; degrees
 * within which it starts from its published middle, and voxels of V1 to V3 lie from their places.
 */
const MARGIN = 2.2, FURTHEST = 1.7, REACH = 16, NEAR = 3;
const DEGREE = Math.PI / 180;

/**
 * One vertex of fsaverage a voxel, no two of a hemisphere the same.
 *
 * @returns per voxel a vertex, 0 to 163,841, of its hemisphere
 */
export function subjectVertices(subject: SimulatedSubject): Uint32Array {
  const { rois, voxels } = subject, sphere = openSphere();
  const vertices = new Uint32Array(voxels.count);
  for (const [side, hemisphere] of HEMISPHERES.entries()) {
    const isTaken = new Set<number>();
    const own = Array.from({ length: voxels.count }, (_, voxel) => voxel)
      .filter((voxel) => voxels.hemisphere[voxel] === side);
    const at = (landmark: string) => sphere.place(vertexOf(landmark, hemisphere));
    const take = (voxel: number, place: Vector, candidates: Iterable<number>) => {
      vertices[voxel] = sphere.nearest(place, candidates, isTaken);
      isTaken.add(vertices[voxel]);
    };
    const band = bandMap(at("fovea"), at("periphery"), side);
    for (const voxel of own) {
      const bounds = BANDS[rois[voxels.roi[voxel]]];
      if (!bounds) continue;
      const place = band.place(bounds, voxels.outward[voxel], voxels.elevation[voxel]);
      take(voxel, place, sphere.around(place, NEAR));
    }
    const bands = [...isTaken].map(sphere.place);
    const discs = rois.flatMap((name, roi) => {
      const inside = own.filter((voxel) => voxels.roi[voxel] === roi);
      return BANDS[name] ? [] : [{ name, voxels: inside, middle: at(name) }];
    });
    const claims = claim(sphere, discs, bands);
    for (const [i, { name, voxels: inside, middle }] of discs.entries()) {
      for (const voxel of inside) {
        const place = discPlace(middle, band.fovea, side, RADII[name], {
          outward: voxels.outward[voxel],
          elevation: voxels.elevation[voxel],
        });
        take(voxel, place, claims[i]);
      }
    }
  }
  return vertices;
}

function vertexOf(landmark: string, hemisphere: Hemisphere): number {
  const known: Record<string, Record<Hemisphere, { vertex: number }>> = landmarks;
  if (known[landmark]) return known[landmark][hemisphere].vertex;
  throw new RangeError(
    `The simulated subject's region ${landmark} has no place on the brain: add it to landmarks.py.`,
  );
}

/** Regions grow in step, each in units of its radius, until every one has vertices for its voxels. */
function claim(
  sphere: Sphere,
  discs: readonly { name: string; voxels: number[]; middle: Vector }[],
  bands: readonly Vector[],
): Set<number>[] {
  const claimed = new Set<number>(), beside = new Set(bands.flatMap((place) => sphere.around(place, MARGIN)));
  const waiting = discs.map(({ middle, name }) => {
    const free = sphere.around(middle, REACH).filter((vertex) => !beside.has(vertex));
    // Where the published middle lies in V1 to V3, the region grows from the nearest place outside.
    const start = sphere.place(sphere.nearest(middle, free, claimed));
    const most = 1 - cosineOf(FURTHEST * RADII[name]);
    return free.map((vertex) => ({ vertex, far: (1 - sphere.cosine(vertex, start)) / RADII[name] ** 2 }))
      .filter(({ far }) => far * RADII[name] ** 2 < most).sort((a, b) =>
        a.far - b.far || a.vertex - b.vertex
      );
  });
  const claims = discs.map(() => new Set<number>()), next = discs.map(() => 0);
  for (;;) {
    let best = -1;
    for (const [i, { voxels }] of discs.entries()) {
      while (next[i] < waiting[i].length && claimed.has(waiting[i][next[i]].vertex)) next[i]++;
      if (claims[i].size >= CLAIMED * voxels.length || next[i] >= waiting[i].length) continue;
      if (best < 0 || waiting[i][next[i]].far < waiting[best][next[best]].far) best = i;
    }
    if (best < 0) return claims;
    const { vertex } = waiting[best][next[best]];
    claims[best].add(vertex);
    claimed.add(vertex);
  }
}

/** V1 to V3 of one hemisphere. */
function bandMap(fovea: Vector, periphery: Vector, side: number) {
  const forward = tangent(fovea, periphery);
  const start = turn(fovea, forward, -BEFORE * DEGREE);
  const along = turn(forward, scale(fovea, -1), -BEFORE * DEGREE);
  // Upwards in the field is downwards on the brain: to the left of the way forward in the right hemisphere.
  const ventral = scale(cross(start, along), side === 0 ? -1 : 1);
  return {
    fovea: start,
    place([inner, outer]: readonly [number, number], outward: number, elevation: number): Vector {
      const half = elevation < 0 ? -1 : 1, up = Math.abs(elevation);
      // V2 leaves V1 at the vertical meridian and runs to the horizontal one; V1 and V3 run to the vertical one.
      const depth = inner === BANDS.V2[0] ? 1 - up : up;
      const width = TAPER + (1 - TAPER) * outward, distance = INNER + LENGTH * outward;
      const angle = half * width * (inner + depth * (outer - inner)) / distance;
      return turn(start, turn(along, ventral, angle), distance * DEGREE);
    },
  };
}

/** A place in a disc whose foveal side faces the fovea of V1 to V3. */
function discPlace(
  middle: Vector,
  fovea: Vector,
  side: number,
  radius: number,
  { outward, elevation }: { outward: number; elevation: number },
): Vector {
  const toFovea = tangent(middle, fovea);
  const up = scale(cross(middle, toFovea), side === 0 ? -1 : 1);
  const offset = mix(1 - 2 * outward, toFovea, elevation, up);
  return unit(mix(1, middle, radius * DEGREE, offset));
}

type Sphere = ReturnType<typeof openSphere>;

/** fsaverage's sphere, and where a direction meets it. */
function openSphere() {
  const { places } = fsaverageSphere(), coarse = nearestOnFsaverage5();
  const children = Array.from({ length: vertexCount(FSAVERAGE5) }, (): number[] => []);
  coarse.forEach((parent, vertex) => children[parent].push(vertex));
  const place = (
    vertex: number,
  ): Vector => [places[3 * vertex], places[3 * vertex + 1], places[3 * vertex + 2]];
  const cosineTo = (vertex: number, [x, y, z]: Vector) =>
    places[3 * vertex] * x + places[3 * vertex + 1] * y + places[3 * vertex + 2] * z;
  /** Vertices within N degrees. */
  const around = (middle: Vector, degrees: number) => {
    const found: number[] = [], least = cosineOf(degrees);
    for (let parent = 0; parent < children.length; parent++) {
      if (cosineTo(parent, middle) < least - SLACK) continue;
      for (const vertex of children[parent]) if (cosineTo(vertex, middle) >= least) found.push(vertex);
    }
    return found;
  };
  return {
    place,
    around,
    cosine: cosineTo,
    nearest(direction: Vector, candidates: Iterable<number>, isTaken: ReadonlySet<number>): number {
      let best = -1, most = -1;
      for (const vertex of candidates) {
        const cosine = cosineTo(vertex, direction);
        if (cosine > most && !isTaken.has(vertex)) [best, most] = [vertex, cosine];
      }
      if (best >= 0) return best;
      throw new RangeError("No vertex of fsaverage is left for a voxel: give its region fewer voxels.");
    },
  };
}

/** A child's cosine is at most so much more than its parent's. */
const SLACK = 0.03;

/** The cosine of an angle in degrees, the same under every engine. */
function cosineOf(degrees: number): number {
  return cosine(degrees * DEGREE);
}

/** Turns from one unit vector towards another at right angles to it. */
function turn(from: Vector, to: Vector, angle: number): Vector {
  return mix(cosine(angle), from, sine(angle), to);
}

/** The direction in which one unit vector lies as seen from another. */
function tangent(from: Vector, to: Vector): Vector {
  return unit(mix(1, to, -dot(from, to), from));
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function scale([x, y, z]: Vector, by: number): Vector {
  return [by * x, by * y, by * z];
}

function mix(s: number, a: Vector, t: number, b: Vector): Vector {
  return [s * a[0] + t * b[0], s * a[1] + t * b[1], s * a[2] + t * b[2]];
}

function unit(vector: Vector): Vector {
  return scale(vector, 1 / Math.sqrt(dot(vector, vector)));
}
