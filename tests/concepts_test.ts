import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { fitParabola, type Place3, purityTest, reversedU, spheres } from "../src/experiments/concepts.ts";
import { highlighted } from "../src/experiments/concepts_pictures.ts";
import { galleryImages } from "../src/experiments/galleries.ts";
import { seededRandom } from "../src/linalg/random.ts";
import { testSeed } from "./random.ts";

Deno.test("spheres() takes far places, the middle first, and a radius that covers the share asked for", () => {
  const places: Place3[] = [[0, 0, 0], [0, 0, 0], [1, 0, 0], [-10, 0, 0], [10, 0, 0], [10, 0, 1]];
  const { centres, radius } = spheres(places, 3, 1);
  assertEquals(centres[0], [1, 0, 0]);
  assertEquals(new Set(centres.slice(1).map(([x]) => Math.sign(x))), new Set([-1, 1]));
  assertEquals(radius, 1);
  assertEquals(spheres(places, 99, 1).centres.length, 5);
});

Deno.test("fitParabola() finds the parabola that points lie on", () => {
  const points = [-2, -1, 0, 0.5, 3].map((mean) => ({ mean, sd: 2 - 0.5 * mean - 0.25 * mean * mean }));
  const { constant, linear, quadratic } = fitParabola(points);
  assertAlmostEquals(constant, 2, 1e-9);
  assertAlmostEquals(linear, -0.5, 1e-9);
  assertAlmostEquals(quadratic, -0.25, 1e-9);
});

Deno.test("reversedU() tells a reversed U from noise and from a U", () => {
  const random = seededRandom(testSeed);
  const points = (bend: number) =>
    Array.from({ length: 20 }, () =>
      Array.from({ length: 6 }, () => {
        const mean = 4 * random() - 2;
        return { mean, sd: 1.5 + bend * mean * mean + 0.2 * random() };
      }));
  const bent = reversedU(points(-0.25), testSeed),
    flat = reversedU(points(0), testSeed),
    up = reversedU(points(0.25), testSeed);
  assert(bent.p <= 0.002 && bent.interval[1] < -0.2, `seed ${testSeed}`);
  assert(Math.abs(flat.parabola.quadratic) < 0.05 && flat.interval[0] < flat.interval[1], `seed ${testSeed}`);
  assert(up.p > 0.99 && up.interval[0] > 0, `seed ${testSeed}`);
});

Deno.test("purityTest() finds concepts of one category, not those of any image", () => {
  const patches = 10, images = 40;
  const categories = Array.from({ length: images }, (_, i) => new Uint8Array(patches).fill(1 + i % 4));
  const of = (own: (image: number) => boolean) =>
    Uint32Array.from({ length: images * patches }, (_, at) => at).filter((at) =>
      own(Math.floor(at / patches))
    );
  const pure = [0, 1, 2, 3].map((k) => of((image) => image % 4 === k));
  const found = purityTest(pure, categories, patches, testSeed)!;
  assertEquals([found.mean, found.concepts], [1, 4]);
  assert(found.p <= 0.002 && found.chance < 0.6, `seed ${testSeed}`);
  const mixed = purityTest(
    [0, 1, 2, 3].map((k) => of((image) => Math.floor(image / 4) % 4 === k)),
    categories,
    patches,
    testSeed,
  )!;
  assert(mixed.mean < 0.4 && mixed.p > 0.05, `${mixed.mean}, seed ${testSeed}`);
  const one = categories.map((own) => own.map(() => 2)); // every shuffle reaches what is the same everywhere
  assertEquals(purityTest(pure, one, patches, testSeed)!.p, 1);
  assertEquals(purityTest([of((image) => image === 0).slice(0, 3)], categories, patches, 0), null);
});

Deno.test("highlighted() keeps what is inside and grays the rest", () => {
  const photo = { width: 4, height: 2, data: Uint8Array.from({ length: 24 }, (_, i) => 10 * i) };
  const { data } = highlighted(photo, { rows: 1, cols: 2 }, (patch) => patch === 0);
  assertEquals([...data.subarray(0, 6)], [...photo.data.subarray(0, 6)]);
  assertEquals(data[6], data[7]);
  assert(data[6] !== photo.data[6]);
});

Deno.test("galleryImages() takes turns over the categories", () => {
  assertEquals(galleryImages([2, 0, 0, 1, 2, 0], 4), [1, 3, 0, 2]);
  assertEquals(galleryImages([1], 5), [0]);
});
