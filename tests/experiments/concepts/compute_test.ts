import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { createFeatures } from "../../../src/data/features/feature_store.ts";
import {
  findConcepts,
  fitParabola,
  type Place3,
  purityTest,
  reversedU,
  spheres,
} from "../../../src/experiments/concepts/compute.ts";
import { highlighted } from "../../../src/experiments/concepts/pictures.ts";
import { galleryImages } from "../../../src/experiments/galleries/compute.ts";
import type { Pipeline } from "../../../src/pipeline/nodes.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { assertClose } from "../../support/assert_close.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { randomMatrix, testSeed } from "../../support/random.ts";
import { matmul } from "../../reference/matmul.ts";

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
  assert(bent.shape.p <= 0.002 && bent.shape.low > 0.2, `seed ${testSeed}`);
  assert(Math.abs(flat.parabola.quadratic) < 0.05 && flat.shape.low < flat.shape.high, `seed ${testSeed}`);
  assert(up.shape.p > 0.99 && up.shape.high < 0, `seed ${testSeed}`);
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
  assert(found.p <= 0.002 && found.effect > 0.4, `seed ${testSeed}`);
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

Deno.test("findConcepts() gives activation of V W β by region in standard deviations of the layer's patches", () =>
  inTemporaryFolder(async (dir) => {
    const images = 12, tokens = 10, rows = images * tokens, d = 3, width = 2, voxels = 4;
    const [features, w, beta] = [[rows, d], [d, width], [width, voxels]].map(([n, m], i) =>
      randomMatrix(n, m, i)
    );
    const writer = await createFeatures(`${dir}/a.arrow`, 7, d, "float32", {});
    await writer.write({
      image: Int32Array.from({ length: rows }, (_, i) => Math.floor(i / tokens)),
      token: Int16Array.from({ length: rows }, (_, i) => i % tokens),
      vectors: features.data,
    });
    await writer.finish();
    const isFar = (image: number, patch: number) => Number((image + patch) % 3 === 0); // one of two places
    const pipeline = {
      models: ["clip"],
      slots: [{ model: "clip", layer: 7, first: 0 }],
      tokens,
      images: Array(images),
      manifests: [{ model: "clip", layers: [{ layer: 7, path: `${dir}/a.arrow` }] }],
      points3: { data: Float32Array.of(0, 0, 0, 5, 5, 5), rows: 2, cols: 3 },
      nearest: Uint32Array.from({ length: rows }, (_, i) => isFar(Math.floor(i / tokens), i % tokens - 1)),
      align: {
        slots: [{ name: "clip L7", width: d }],
        transforms: w,
        beta,
        epsilon: new Float32Array(voxels),
      },
    } as unknown as Pipeline;
    const rois = new Map([["V1", Uint32Array.of(0, 2)], ["FFA", Uint32Array.of(3)]]);
    const categories = Array.from({ length: images }, () => new Uint8Array(tokens - 1).fill(1));
    const { concepts } = await findConcepts(pipeline, { categories, rois }, { seed: 0 });
    assertEquals(concepts.map(({ patches }) => patches.length).sort(), [36, 72]);

    const space = matmul(matmul(features.data, w.data, rows, d, width), beta.data, rows, width, voxels);
    const spread = (values: number[]) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return {
        mean,
        sd: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length),
      };
    };
    const all = Array.from({ length: images * (tokens - 1) }, (_, at) => at);
    for (const { patches, regions, voxels: mean } of concepts) {
      for (const [r, roi] of [...rois.values()].entries()) {
        const activation = (at: number) => {
          const row = Math.floor(at / (tokens - 1)) * tokens + 1 + at % (tokens - 1);
          return [...roi].reduce((sum, voxel) => sum + space[row * voxels + voxel] / roi.length, 0);
        };
        const own = spread([...patches].map(activation)), whole = spread(all.map(activation));
        const expected = [(own.mean - whole.mean) / whole.sd, own.sd / whole.sd];
        assertClose([regions[r].mean, regions[r].sd], expected, { relative: 1e-4, note: `seed ${testSeed}` });
        if (roi.length === 1) assertAlmostEquals(mean[roi[0]], own.mean - whole.mean, 1e-4);
      }
    }
  }));
