import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  assignClasses,
  intersectionOverUnion,
  oracleSegmentation,
  rgbPositionFeatures,
  tokenLabels,
} from "../../../src/experiments/shared/oracle_segmentation.ts";

const matrix = (rows: number[][]) => ({
  data: Float32Array.from(rows.flat()),
  rows: rows.length,
  cols: rows[0].length,
});

Deno.test("oracleSegmentation() finds a perfect split and gives no class to tokens without pixels", () => {
  const eigenvectors = matrix([[9, 9], [1, 0], [1, 0.1], [-1, 0.1], [-1, 0]]);
  const labels = { counts: Uint32Array.of(0, 0, 4, 0, 4, 0, 0, 4, 0, 4), classes: 2 };
  const { miou, iou, assigned } = oracleSegmentation(eigenvectors, labels);
  assertEquals(miou, 1);
  assertEquals([...iou], [1, 1]);
  assertEquals([...assigned.subarray(1)], [0, 0, 1, 1]);
});

Deno.test("oracleSegmentation() sends what is like no class to the background", () => {
  // The third token is ground, like neither centre (cosines 0.29 and 0.27): only a threshold gets it right.
  const eigenvectors = matrix([[1, 0.1, 0], [1, 0.1, 0], [0.3, 0, 1], [0.3, 0.2, -1]]);
  const labels = { counts: Uint32Array.of(0, 4, 0, 4, 4, 0, 4, 0), classes: 2 };
  const { miou, threshold } = oracleSegmentation(eigenvectors, labels);
  assertEquals(miou, 1);
  assertEquals(threshold > 0, true);
});

Deno.test("intersectionOverUnion() counts pixels, not tokens", () => {
  // One token is half figure: called figure, its 2 ground pixels are missed and counted against the figure.
  const { iou, miou } = intersectionOverUnion(Uint8Array.of(0, 1), {
    counts: Uint32Array.of(4, 0, 2, 2),
    classes: 2,
  });
  assertAlmostEquals(iou[0], 4 / 6);
  assertAlmostEquals(iou[1], 2 / 4);
  assertAlmostEquals(miou, (4 / 6 + 2 / 4) / 2);
});

Deno.test("intersectionOverUnion() is the mean over classes that occur", () => {
  const labels = { counts: Uint32Array.of(4, 0, 0, 0, 0, 4), classes: 3 };
  assertEquals(intersectionOverUnion(Uint8Array.of(0, 2), labels).miou, 1);
  assertEquals(intersectionOverUnion(Uint8Array.of(0, 1), labels).miou, 0.5);
});

Deno.test("assignClasses() keeps a token whose similarity is the threshold", () => {
  const match = { nearest: Uint8Array.of(2, 1), similarity: Float64Array.of(1, 0.99) };
  assertEquals([...assignClasses(match, 1)], [2, 0]);
});

Deno.test("oracleSegmentation() refuses labels of another number, and none at all", () => {
  const eigenvectors = matrix([[1], [1]]);
  assertThrows(
    () => oracleSegmentation(eigenvectors, { counts: new Uint32Array(6), classes: 2 }),
    RangeError,
    "2 tokens and labels for 3",
  );
  assertThrows(
    () => oracleSegmentation(eigenvectors, { counts: new Uint32Array(4), classes: 2 }),
    RangeError,
    "No pixel has a label",
  );
});

Deno.test("tokenLabels() counts every pixel once and drops void", () => {
  const data = Uint8Array.from({ length: 25 }, (_, i) => i === 24 ? 255 : i % 2);
  const counts = tokenLabels({ data, width: 5, height: 5 }, { rows: 2, cols: 2 }, 2);
  assertEquals([...counts.subarray(0, 2)], [0, 0]);
  assertEquals(counts.reduce((a, b) => a + b), 24);
});

Deno.test("rgbPositionFeatures() averages colors and places patches", () => {
  const data = new Uint8Array(4 * 4 * 3).fill(255);
  const { rows, cols, data: x } = rgbPositionFeatures({ data, width: 4, height: 4 }, { rows: 2, cols: 2 });
  assertEquals([rows, cols], [5, 5]);
  assertEquals([...x.subarray(5, 10)], [1, 1, 1, -0.5, -0.5]);
  assertEquals([...x.subarray(20, 25)], [1, 1, 1, 0.5, 0.5]);
});
