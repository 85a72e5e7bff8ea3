import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { renderChart } from "../../src/report/chart.ts";
import { pathPanelsChart } from "../../src/report/charts/path_panels.ts";
import { planeOf } from "../../src/report/charts/plane.ts";
import { planeCirclesChart } from "../../src/report/charts/plane_circles.ts";
import { planeLayersChart } from "../../src/report/charts/plane_layers.ts";
import { transitionMatrixChart } from "../../src/report/charts/transition_matrix.ts";
import { lightTheme } from "../../src/report/theme.ts";

Deno.test("planeOf() keeps both axes alike and holds all places", () => {
  const plane = planeOf("map", [[0, 0], [100, 10]], 200);
  const [[left, right], [low, high]] = [plane.x.scale.domain, plane.y.scale.domain];
  assertAlmostEquals(right - left, high - low);
  assert(left < 0 && right > 100 && low < 0 && high > 10);
  assertAlmostEquals(plane.pixels * (right - left), 200);
  assertAlmostEquals(plane.top([50, 5]), 100);
  assertThrows(() => planeOf("map", [[0, NaN]], 200), RangeError, "The chart map was given NaN");
});

Deno.test("pathPanelsChart() has an arrow a step, up as 0 degrees and right as 90, and a named mark a stop", async () => {
  const places = [[0, 0], [0, 2], [2, 2], [2, 2]] as const;
  const panels = ["figure", "ground"].map((title) => ({ title, places }));
  const chart = { name: "map", steps: ["L1", "L2", "L3", "L4"], panels, across: 2, width: 640 };
  const svg = await renderChart(pathPanelsChart(chart, lightTheme), lightTheme, "paths");
  assertEquals(svg.match(/aria-label="(figure|ground) · L\d: \d, \d"/g)?.length, 8);
  const turns = [...svg.matchAll(/rotate\(([-\d.]+)\)" d="M0,-/g)].map(([, angle]) => Number(angle));
  assertEquals(turns.filter((angle) => angle === 90).length, 2);
  assertThrows(
    () => pathPanelsChart({ ...chart, steps: ["L1"] }, lightTheme),
    RangeError,
    "The path figure has 4 places, expected 1.",
  );
});

Deno.test("pathPanelsChart() keeps the labels of a path that returns to its start apart, inside the panel", async () => {
  for (const depth of [0, 5, 10]) {
    // Two paths that span the panel; each ends near its start, the second one at a depth of the panel's height.
    const panels = [[[0, 0], [10, 10], [0.1, 0.2]], [[0, depth], [10, 5], [0, depth]]].map((places, i) => ({
      title: String(i),
      places: places.map(([x, y]) => [x, y] as const),
    }));
    const chart = { name: "map", steps: ["L5", "L6", "L12"], panels, across: 2, width: 640 };
    const svg = await renderChart(pathPanelsChart(chart, lightTheme), lightTheme, "paths");
    const heights = [...svg.matchAll(/<text [^>]*translate\([-\d.]+,([-\d.]+)\)[^>]*>(L5|L12)<\/text>/g)]
      .map(([, height]) => Number(height));
    // Both ends of both panels, each with its halo; then the key.
    assertEquals(heights.length, 10);
    for (let i = 0; i < 8; i += 2) {
      assert(Math.abs(heights[i] - heights[i + 1]) >= 13, `${depth}: ${heights}`);
      for (const height of heights.slice(i, i + 2)) {
        assert(height > 5 && height < 309, `${depth}: ${heights}`);
      }
    }
  }
});

Deno.test("planeLayersChart() names every layer, planeCirclesChart() draws circles of the radius", async () => {
  const places = [[0, 0], [1, 1]] as const;
  const layers = [{ label: "L1", places }, { label: "L2", places }];
  const svg = await renderChart(
    planeLayersChart({ name: "map", layers, width: 320 }, lightTheme),
    lightTheme,
    "l",
  );
  assert(svg.includes(">L1<") && svg.includes(">L2<"));
  const circles = [{ label: "A0", centre: [0, 0] as const }, { label: "A1", centre: [4, 0] as const }];
  const points = [{ place: [0, 1] as const, figure: true }, { place: [2, 0] as const, figure: false }];
  const chart = planeCirclesChart({ name: "map", circles, radius: 1, points, width: 420 }, lightTheme);
  const drawn = await renderChart(chart, lightTheme, "c");
  // The circles reach from −1 to 5, with 6 % of margin at either side of 400 pixels.
  const radius = 400 / (6 * 1.12);
  const arcs = [...drawn.matchAll(/aria-label="circle A\d"[^>]* d="M([\d.]+),0A/g)].map(([, value]) =>
    Number(value)
  );
  assertEquals(arcs.length, 2);
  for (const value of arcs) assertAlmostEquals(value, radius, 0.01);
});

Deno.test("transitionMatrixChart() writes every number, a dash for none, and no zero with a sign", async () => {
  const panels = [
    { title: "figure", rows: [[0.25, 0.5], [null, null]] },
    { title: "figure − ground", rows: [[-0.0001, -0.4], [0, 0.1]] },
  ];
  for (const [width, parts] of [[640, 2], [200, 3]] as const) {
    const chart = {
      name: "matrices",
      unit: "share (0 to 1)",
      from: ["A0", "A1"],
      to: ["B0", "B1"],
      panels,
      width,
    };
    const spec = transitionMatrixChart(chart, lightTheme);
    assert(
      "vconcat" in spec && spec.vconcat.length === parts,
      "panels in a row or one below the other, and the key",
    );
    const svg = await renderChart(spec, lightTheme, "m");
    for (const number of [">0.25<", ">0.50<", ">−0.40<", ">0.10<", ">share (0 to 1)<", ">−0.5<"]) {
      assert(svg.includes(number), number);
    }
    assertEquals(svg.match(/>–</g)?.length, 2);
    assertEquals(svg.match(/>0\.00</g)?.length, 2);
  }
});
