import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { renderChart, saveChartSpec } from "../../src/report/chart.ts";
import { cacheDrawingsIn } from "../../src/report/drawing_cache.ts";
import { barChart } from "../../src/report/charts/bar.ts";
import { eigenvaluesChart } from "../../src/report/charts/eigenvalues.ts";
import { lineByLayerChart } from "../../src/report/charts/line_by_layer.ts";
import { spreadLabels } from "../../src/report/charts/spread_labels.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";
import { darkTheme, lightTheme, pageTheme, sequenceOf, themeCss } from "../../src/report/theme.ts";

const eigenvalues = {
  layers: [{ label: "L1", values: [0.5, 0.25, 0.12] }, { label: "L2", values: [0.4, 0.2, 0.125] }],
  firstComponent: 2,
  yScale: "log" as const,
  width: 600,
};
const byLayer = {
  metric: "mIoU",
  layers: ["L1", "L2", "L3"],
  series: [{ label: "mae-tiny", values: [0.2, 0.4, 0.35] }],
  rule: { label: "paper 0.6", value: 0.6 },
  width: 600,
};

/** Exact numbers that the marks of a chart carry for hover and screen readers. */
const notes = (svg: string) => [...svg.matchAll(/aria-label="([^"]*: -?[\d.]+)"/g)].map((match) => match[1]);

Deno.test("eigenvaluesChart() draws a point for every eigenvalue and names every layer", async () => {
  const svg = await renderChart(eigenvaluesChart(eigenvalues, pageTheme), pageTheme, "eigenvalues");
  assertEquals(notes(svg).length, 6);
  assert(notes(svg).includes("L2 · component 4: 0.125"), notes(svg).join("; "));
  for (const label of ["L1", "L2", "0.5", "0.2"]) assert(svg.includes(`>${label}</text>`), label);
});

Deno.test("eigenvaluesChart() refuses a log scale for a value that is not positive", () => {
  const layers = [{ label: "L1", values: [0.5, -0.1] }];
  assertThrows(
    () => eigenvaluesChart({ ...eigenvalues, layers }, lightTheme),
    RangeError,
    "given -0.1: use a linear",
  );
});

Deno.test("lineByLayerChart() draws the paper's value as a rule, and refuses NaN and a seventh line", async () => {
  const svg = await renderChart(lineByLayerChart(byLayer, lightTheme), lightTheme, "miou");
  assertEquals(notes(svg), [
    "mae-tiny · layer L1: 0.2",
    "mae-tiny · layer L2: 0.4",
    "mae-tiny · layer L3: 0.35",
  ]);
  assert(svg.includes("paper 0.6</text>"));
  const [low] = JSON.stringify(lineByLayerChart(byLayer, lightTheme)).match(/(?<="domain":\[)-?[\d.]+/)!;
  assertEquals(Number(low), 0);
  const broken = { ...byLayer, series: [{ label: "a", values: [0.1, NaN, 0.2] }] };
  assertThrows(() => lineByLayerChart(broken, lightTheme), RangeError, "The chart mIoU was given NaN");
  const many = Array.from({ length: 7 }, (_, i) => ({ label: `m${i}`, values: [1, 2, 3] }));
  assertThrows(() => lineByLayerChart({ ...byLayer, series: many }, lightTheme), RangeError, "found 7");
});

Deno.test("lineByLayerChart() draws intervals, and keeps them inside the scale", async () => {
  const intervals = [[0.1, 0.3], [0.3, 0.5], [-0.2, 0.9]] as const;
  const series = [{ ...byLayer.series[0], intervals }];
  const spec = lineByLayerChart({ ...byLayer, series }, lightTheme);
  const svg = await renderChart(spec, lightTheme, "intervals");
  assert(
    svg.includes("mae-tiny · layer L3: 0.35 (-0.2 to 0.9)"),
    svg.match(/aria-label="mae[^"]*"/g)?.join(),
  );
  const [low, high] = JSON.stringify(spec).match(/"domain":\[(-?[\d.]+),(-?[\d.]+)\]/)!.slice(1).map(Number);
  assert(low <= -0.2 && high >= 0.9, `${low} to ${high}`);
  const broken = [{ ...byLayer.series[0], intervals: [[0.1, 0.3], [NaN, 0.5], [0, 1]] as const }];
  assertThrows(() => lineByLayerChart({ ...byLayer, series: broken }, lightTheme), RangeError, "given NaN");
});

Deno.test("barChart() draws a bar a value with its number", async () => {
  const bars = [{ label: "cut", value: 12.345678 }, { label: "t-SNE", value: -3, emphasis: true }];
  const svg = await renderChart(
    barChart({ metric: "time (s)", bars, width: 400 }, lightTheme),
    lightTheme,
    "bar",
  );
  assertEquals(notes(svg), ["cut: 12.346", "t-SNE: -3"]);
  assert(svg.includes(">12.3</text>") && svg.includes(">−3.0</text>"), "numbers at the bars' ends");
  const [label, width] = ["m 1000, K 8, stratified: 0.12 s", 320];
  const narrow = barChart({ metric: "m", bars: [{ label, value: 1 }], width }, lightTheme);
  assert("width" in narrow && Number(narrow.width) > width / 2, "long names leave the bars their room");
  assert((await renderChart(narrow, lightTheme, "narrow")).includes(`>${label}</text>`));
  assertThrows(() =>
    barChart({ metric: "m", bars: [{ label: "a", value: Infinity }], width: 400 }, lightTheme)
  );
});

Deno.test("renderChart() is deterministic, follows the theme, and refuses a chart without data", async () => {
  const draw = (theme: typeof lightTheme) => renderChart(lineByLayerChart(byLayer, theme), theme, "x");
  assertEquals(await draw(lightTheme), await draw(lightTheme));
  assert((await draw(darkTheme)).includes(darkTheme.series[0]));
  const paged = await draw(pageTheme);
  assert(paged.includes("var(--series-1)"));
  assert(!/#[0-9a-f]{6}\b/i.test(paged), "a fixed color would not follow the dark setting");
  const empty = { data: { values: [] }, mark: "point" as const };
  await assertRejects(() => renderChart(empty, lightTheme, "void"), Error, "The chart void has no marks");
});

Deno.test("themeCss() gives a value to every name of pageTheme in both settings", () => {
  const [light, dark] = themeCss().split("@media");
  const names = JSON.stringify(pageTheme).match(/--[a-z]+(-\d+)?/g)!;
  assertEquals(names.length, 26);
  for (const name of names) {
    assert(light.includes(`${name}: #`), name);
    assert(dark.includes(`${name}: #`), name);
  }
  assertEquals(sequenceOf(lightTheme, 1), [lightTheme.sequence[0]]);
  assertEquals(sequenceOf(lightTheme, 12), [...lightTheme.sequence]);
});

Deno.test("spreadLabels() keeps labels apart, in order and inside the axis", () => {
  assertEquals(spreadLabels([10, 100], 14, 200), [10, 100]);
  assertEquals(spreadLabels([198, 199, 200], 14, 200), [172, 186, 200]);
  const placed = spreadLabels([5, 5, 6, 90], 14, 100);
  assertEquals(placed, [5, 19, 33, 90]);
});

Deno.test("saveChartSpec() writes a spec that Vega-Lite draws", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await saveChartSpec(`${folder}/miou.vl.json`, lineByLayerChart(byLayer, lightTheme));
    const spec = JSON.parse(await Deno.readTextFile(`${folder}/miou.vl.json`));
    assertEquals(notes(await renderChart(spec, lightTheme, "again")).length, 3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("renderChart() takes a chart that is kept, and draws anew one that is damaged or of other data", () =>
  inTemporaryFolder(async (root) => {
    const draw = (values = [0.2, 0.4, 0.35]) => {
      const chart = { ...byLayer, series: [{ label: "mae-tiny", values }] };
      return renderChart(lineByLayerChart(chart, lightTheme), lightTheme, "x");
    };
    const files = () => [...Deno.readDirSync(root)].map(({ name }) => name);
    const drawn = await draw();
    cacheDrawingsIn(root);
    try {
      assertEquals([await draw(), await draw()], [drawn, drawn]);
      const [file] = files(), path = `${root}/${file}`, kept = await Deno.readTextFile(path);
      assertEquals(files().length, 1);
      const otherwise = drawn.replace("<svg", "<svg data-kept=''");
      const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(otherwise));
      const sha256 = [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      await Deno.writeTextFile(path, `${sha256}\n${otherwise}`);
      assertEquals(await draw(), otherwise); // not drawn
      for (const damaged of [kept.slice(0, -9), kept.replace("<svg", "<svf"), "", "\n"]) {
        await Deno.writeTextFile(path, damaged);
        assertEquals(await draw(), drawn);
        assertEquals(await Deno.readTextFile(path), kept);
      }
      assert(await draw([0.3, 0.1, 0.2]) !== drawn);
      assertEquals(files().length, 2);
      cacheDrawingsIn(`${root}/none`);
      assertEquals(await draw(), drawn);
    } finally {
      cacheDrawingsIn(undefined);
    }
  }));
