import type { TopLevelSpec } from "vega-lite";
import { pearson } from "../../../src/statistics/summary.ts";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { bootstrapDraws } from "../../../src/statistics/bootstrap.ts";
import {
  beyondPlace,
  eigenDirections,
  flippedP,
  pixelsOf,
  regionsOf,
  testedLayer,
} from "../../../src/experiments/figure_ground/compute.ts";
import { meansByKind, regionMeans } from "../../../src/experiments/shared/activation.ts";
import { activationSheets } from "../../../src/experiments/shared/activation_sheets.ts";
import { similarityPicture } from "../../../src/experiments/shared/small_pictures.ts";
import { sheetPlaces } from "../../../src/synthetic/subject_voxels.ts";
import {
  agreementByImage,
  areaByImage,
  cosineLikeness,
  directions,
  exchangedAreas,
  placeLikeness,
} from "../../../src/experiments/figure_ground/pixel_search.ts";
import { clickSimilarity } from "../../../src/graph/click_similarity.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { lightTheme } from "../../../src/report/theme.ts";
import { regionHeatMap } from "../../../src/report/charts/region_heat_map.ts";
import { renderChart } from "../../../src/report/chart.ts";
import { testSeed } from "../../support/random.ts";
import { createToySubject } from "../../support/toy_subject.ts";
import { walkingPipeline } from "../../support/walking_pipeline.ts";

const matrix = (rows: number[][]) => ({
  data: Float32Array.from(rows.flat()),
  rows: rows.length,
  cols: rows[0].length,
});

Deno.test("meansByKind() averages ground, then figure, of every image, class tokens left out", () => {
  const features = matrix([[99, 99], [1, 0], [3, 0], [0, 5], [99, 99], [0, 1], [4, 0], [8, 2]]);
  const labels = [Uint8Array.of(0, 0, 1), Uint8Array.of(1, 0, 0)];
  assertEquals([...meansByKind(features, 4, labels, [0, 1]).data], [2, 0, 6, 1, 0, 5, 0, 1]);
  assertEquals([...meansByKind(features, 4, labels, [1]).data], [6, 1, 0, 1]);
});

Deno.test("regionMeans() averages each region's voxels", () => {
  const rois = new Map([["V1", Uint32Array.of(0, 2)], ["PPA", Uint32Array.of(1)]]);
  assertEquals([...regionMeans(matrix([[1, 7, 3], [0, 0, 4]]), rois).data], [2, 7, 2, 0]);
});

Deno.test("testedLayer() is the paper's for its models, else the middle one", () => {
  const layers = Array.from({ length: 12 }, (_, i) => i + 1);
  assertEquals(["clip_tiny", "dino_tiny", "MAE-b", "other"].map((model) => testedLayer(model, layers)), [
    5,
    6,
    8,
    6,
  ]);
  assertEquals(testedLayer("mae", [1, 2, 3]), 2);
});

Deno.test("regionsOf() tests every region in the paper's direction, and needs all of them", () => {
  const rois = ["V1", "PPA", "EBA"], random = seededRandom(testSeed), rows = 20;
  const noisy = (means: number[]) =>
    matrix(Array.from({ length: rows }, () => means.map((m) => m + 0.2 * random())));
  const activation = (figure: number[]) => ({
    figure: noisy(figure),
    ground: noisy([0, 0, 0]),
    voxels: { figure: new Float32Array(), ground: new Float32Array() },
  });
  const draws = bootstrapDraws(rows, 99, 0);
  const regions = regionsOf(activation([1, -1, 1]), rois, draws, 0);
  assertEquals(regions.map(({ expected }) => expected), [1, -1, 0]);
  assertEquals(regions.map(({ p }) => p !== null && p < 0.01), [true, true, false], `seed ${testSeed}`);
  assertAlmostEquals(regions[0].difference.value, regions[0].figure - regions[0].ground, 1e-6);
  const reverse = regionsOf(activation([1, 1, 1]), rois, draws, 0);
  assert(reverse[1].p! > 0.99, `seed ${testSeed}`);
});

Deno.test("cosineLikeness() is the similarity of a click", () => {
  const pipeline = walkingPipeline({ partsAt: { clip: 2 } }), tokens = 37;
  const likeness = cosineLikeness(eigenDirections(pipeline, 2));
  const { first } = pipeline.slots[2],
    { similarity } = clickSimilarity(pipeline.eigenvectors, {
      positive: [first + 3 * tokens + 1 + 5],
    });
  const own = likeness({ image: 3, patch: 5 }, 7);
  for (let p = 0; p < 36; p++) assertAlmostEquals(own[p], similarity[first + 7 * tokens + 1 + p], 1e-5);
});

Deno.test("areaByImage() is 1 where one pixel finds all figure, one half where nothing differs, and 0 reversed", () => {
  const labels = [Uint8Array.of(0, 1, 0), Uint8Array.of(1, 0, 0), Uint8Array.of(0, 0, 1)];
  const targets = { labels, categories: [0, 1, 1], images: [0, 1, 2] };
  const vectors = matrix(
    labels.flatMap((own) => [[9, 9], ...[...own].map((kind) => kind ? [1, 0.1] : [0.1, 1])]),
  );
  const likeness = cosineLikeness(directions(vectors, 4));
  const figure = [{ image: 0, patch: 1 }], ground = [{ image: 0, patch: 0 }];
  const areas = areaByImage(likeness, figure, targets, 1);
  assertEquals([...areas].map(Number.isNaN), [true, false, false]); // its own category is left out
  assertEquals([...areas.subarray(1)], [1, 1]);
  assertEquals([...areaByImage(likeness, ground, targets, 0).subarray(1)], [1, 1]);
  assertEquals([...areaByImage(likeness, ground, targets, 1).subarray(1)], [0, 0]);
  assertEquals([...areaByImage(() => [1, 1, 1], figure, targets, 1).subarray(1)], [0.5, 0.5]);
});

Deno.test("placeLikeness() is nearness in the grid", () => {
  const near = placeLikeness({ rows: 2, cols: 2 })({ image: 0, patch: 0 }, 1);
  assertEquals(Array.from(near, (value) => Math.round(1e4 * value) / 1e4), [-0, -1, -1, -1.4142]);
});

Deno.test("agreementByImage() is r of the maps, and leaves out images of the pixel's category", () => {
  const targets = { labels: [], categories: [0, 1, 0], images: [0, 1, 2] };
  const up = () => [1, 2, 3, 5], down = () => [-1, -2, -3, -5];
  const query = [{ image: 0, patch: 0 }];
  const found = agreementByImage([up, up, down], query, targets);
  assertAlmostEquals(found[1], -1 / 3, 1e-12); // one pair agrees, two oppose
  assert(Number.isNaN(found[0]) && Number.isNaN(found[2]));
  assertEquals(pearson([1, 1], [1, 2]), 0);
});

Deno.test("flippedP() is small where all images have the other model's pattern and not where they have its reverse", () => {
  const pattern = [1, 4, 2, 8, 5, 7, 3, 9];
  const columns = (sign: number) => pattern.map((value) => new Float64Array(10).fill(sign * value));
  assertEquals(flippedP(pattern, columns(1), 0), 2 ** -10);
  assertEquals(flippedP(pattern, columns(-1), 0), 1);
});

Deno.test("exchangedAreas() is what the masks of other images give, and beyondPlace() asks for more than that", () => {
  const labels = [0, 1, 2, 3, 4, 5].map((i) => Uint8Array.from({ length: 6 }, (_, p) => Number(p === i)));
  const targets = { labels, categories: [0, 1, 1, 1, 1, 1], images: [...labels.keys()] };
  const first = () => [5, 4, 3, 2, 1, 0], own = (_: unknown, image: number) => labels[image];
  const query = [{ image: 0, patch: 0 }];
  const areas = areaByImage(own, query, targets, 1), exchanged = exchangedAreas(own, query, targets, 1);
  assertEquals([...areas.subarray(1)], [1, 1, 1, 1, 1]);
  assertEquals([...exchanged.subarray(1)].map((area) => area.toFixed(3)), Array(5).fill("0.400")); // one of five above
  const near = areas.map((area) => area - 0.6);
  assertEquals(beyondPlace(areas, { near, exchanged }, 0).p, 1 / 32);
  const [same, moved] = [areaByImage, exchangedAreas].map((of) => of(first, query, targets, 1));
  assert(beyondPlace(same, { near: same.map(() => 0), exchanged: moved }, 0).p > 0.2); // right by place alone
});

Deno.test("pixelsOf() takes one figure and one ground patch of evenly spread images", () => {
  const labels = Array.from(
    { length: 50 },
    (_, i) => Uint8Array.from({ length: 9 }, (_, p) => Number(p === i % 9)),
  );
  const { figure, ground } = pixelsOf({ rows: 3, cols: 3 }, labels, [...labels.keys()]);
  assertEquals([figure.length, ground.length], [20, 20]);
  assertEquals(new Set(figure.map(({ image }) => image)).size, 20);
  for (const { image, patch } of figure) assertEquals(labels[image][patch], 1);
  for (const { image, patch } of ground) assertEquals(labels[image][patch], 0);
});

Deno.test("activationSheets() draw every voxel once a sheet and escape titles", () => {
  const subject = createToySubject(),
    values = Float32Array.from({ length: subject.voxels.count }, (_, i) => i - 3);
  const sheet = { places: sheetPlaces(subject), note: "" };
  const svg = activationSheets(sheet, [[{ title: "a<b", values }], [{ title: "c", values }]], "sd");
  assertEquals(svg.match(/h0/g)!.length, 2 * subject.voxels.count);
  assert(
    svg.includes("a&lt;b") && !svg.includes("a<b") && svg.includes("--series-1") &&
      svg.includes("--series-2"),
  );
});

Deno.test("similarityPicture() makes one pixel a patch", () => {
  assert(
    similarityPicture([-1, 0, 0.5, 1, 1, 0.2], { rows: 2, cols: 3 }).startsWith("data:image/png;base64,"),
  );
  assertThrows(() => similarityPicture([1, 2], { rows: 2, cols: 3 }), RangeError, "A 3 × 2 RGB image");
});

Deno.test("regionHeatMap() writes every number with its sign, stacked where it is narrow", async () => {
  const chart = (width: number) => ({
    name: "activation",
    unit: "activation (sd)",
    regions: ["V1", "PPA"],
    columns: ["figure", "ground"],
    width,
    panels: ["a", "b", "c"].map((title) => ({ title, values: [[0.25, -0.1], [0, 0.001]] })),
  });
  const wide = regionHeatMap(chart(640), lightTheme), narrow = regionHeatMap(chart(320), lightTheme);
  const panelsOf = (spec: TopLevelSpec) =>
    "vconcat" in spec ? spec.vconcat.map((part) => "hconcat" in part ? part.hconcat.length : 1) : [];
  assertEquals([panelsOf(wide), panelsOf(narrow)], [[3, 1], [1, 1, 1, 1]], "panels, and the key below");
  const svg = await renderChart(wide, lightTheme, "heat");
  for (const text of ["+0.25", "−0.10", "V1 · figure: +0.2500", "activation (sd)", ">−0.1<", ">0.25<"]) {
    assert(svg.includes(text), text);
  }
  assert(!svg.includes("+0.00<"));
  const faint = { ...chart(640), panels: [{ title: "a", values: [[0.065, -0.004], [0, 0.001]] }] };
  const drawn = await renderChart(regionHeatMap(faint, lightTheme), lightTheme, "faint");
  for (const text of ["+0.065", "−0.004", ">0.000<"]) assert(drawn.includes(text), text);
  assertThrows(
    () => regionHeatMap({ ...chart(640), panels: [{ title: "a", values: [[NaN]] }] }, lightTheme),
    RangeError,
    "The chart activation was given NaN",
  );
});
