import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { decode } from "fast-png";
import { figure } from "../../src/report/blocks.ts";
import { colorGrid } from "../../src/report/color_grid.ts";
import { barChart } from "../../src/report/charts/bar.ts";
import { mixInOklab } from "../../src/report/mix_colors.ts";
import { responsiveChart } from "../../src/report/responsive_chart.ts";
import { standaloneSvg } from "../../src/report/standalone_svg.ts";
import { lightTheme } from "../../src/report/theme.ts";
import { pngDataUri } from "../../src/report/tiny_png.ts";
import { writePage } from "../../src/report/write_page.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const SHEET =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20" width="100%"><rect width="40" height="20" fill="color-mix(in oklab, var(--series-2) 50%, var(--rule))"/><text y="15">A</text></svg>`;

const [PIXEL, RED] = [[9, 9, 9], [255, 0, 0]].map((color) => pngDataUri(1, 1, Uint8Array.from(color)));

/** A page with a chart of a hostile name and a drawing without one. @returns every file below it */
async function writeSample(out: string): Promise<Record<string, Uint8Array>> {
  const bars = [{ label: `<script>"x"&</script>`, value: 1 }, { label: "שלום", value: 2 }];
  const body = [
    await responsiveChart(
      "times",
      out,
      "Seconds.",
      (theme, width) => barChart({ metric: "time (s)", bars, width }, theme),
    ),
    figure({ image: { svg: SHEET, narrowSvg: SHEET }, caption: "c", alt: `a "quoted" sheet` }),
    colorGrid({
      label: "Maps of <b>a</b>",
      columns: ["L1", "L2"],
      rows: ["x", "<y>"].map((label) => ({ label, photo: PIXEL, cells: [PIXEL, RED] })),
      bar: { title: "cosine", ends: ["0", "1"], colors: ["rgb(0 0 0)", "rgb(255 236 178)"] },
    }),
    await responsiveChart(
      "bars-more",
      out,
      "More.",
      (theme, width) => barChart({ metric: "m", bars, width }, theme),
    ),
  ];
  const page = { title: "Bars", question: "?", method: "So.", settings: {}, command: "x" };
  await writePage(`${out}/bars.html`, { ...page, sections: [{ heading: "h", body }] }, ["svg", "png"]);
  const files = [...Deno.readDirSync(`${out}/figures`)].map(({ name }) => name).sort();
  return Object.fromEntries(files.map((name) => [name, Deno.readFileSync(`${out}/figures/${name}`)]));
}

Deno.test("writePage() writes every figure as SVG and PNG, named or numbered, and the same twice", () =>
  inTemporaryFolder(async (out) => {
    const files = await writeSample(out);
    const names = ["bars-2", "bars-maps-of-b-a-b", "bars-more", "bars-times"];
    assertEquals(Object.keys(files), names.flatMap((name) => [`${name}.png`, `${name}.svg`]));
    assertEquals(await writeSample(out), files);
    for (const name of names) {
      const svg = new TextDecoder().decode(files[`${name}.svg`]);
      assert(!/var\(|color-mix|<script/.test(svg), name);
      const [, width, height] = /^<\?xml[^]*?<svg width="([\d.]+)" height="([\d.]+)"/.exec(svg)!;
      const png = decode(files[`${name}.png`]);
      assertEquals([png.width, png.height], [2 * Number(width), 2 * Number(height)], name);
    }
    assertStringIncludes(new TextDecoder().decode(files["bars-times.svg"]), lightTheme.series[0]);
  }));

Deno.test("writePage() draws PNGs in light colors on white, labels included", () =>
  inTemporaryFolder(async (out) => {
    const files = await writeSample(out);
    const has = (name: string, color: string) => {
      const { data, channels } = decode(files[name]);
      const wanted = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
      for (let i = 0; i < data.length; i += channels) {
        if (wanted.every((value, c) => data[i + c] === value)) return true;
      }
      return false;
    };
    assert(has("bars-2.png", mixInOklab(lightTheme.series[1], 0.5, lightTheme.rule)));
    assert(has("bars-2.png", "#000000"), "the letter is missing");
    assert(has("bars-maps-of-b-a-b.png", "#ff0000") && has("bars-maps-of-b-a-b.png", "#ffecb2"));
    const grid = new TextDecoder().decode(files["bars-maps-of-b-a-b.svg"]);
    assertEquals([grid.match(/<image /g)!.length, grid.includes("&lt;y&gt;")], [6, true]);
    assert(has("bars-times.png", lightTheme.series[0]));
    assert(has("bars-times.png", "#ffffff"));
  }));

Deno.test("saveChartSpec() of a page's chart holds colors that every editor knows", () =>
  inTemporaryFolder(async (out) => {
    await writeSample(out);
    const spec = await Deno.readTextFile(`${out}/times.vl.json`);
    assert(!spec.includes("var(--"), spec);
  }));

Deno.test("mixInOklab() gives the ends, and a gray as dark as Oklab says", () => {
  assertEquals(mixInOklab("#1d4a93", 1, "#ffffff"), "#1d4a93");
  assertEquals(mixInOklab("#1d4a93", 0, "#c77434"), "#c77434");
  assertEquals(mixInOklab("#ffffff", 0.5, "#000000"), "#636363");
});

Deno.test("standaloneSvg() refuses colors that no theme has, and drawings of no size", () => {
  assertThrows(
    () => standaloneSvg(SHEET.replace("--rule", "--glow"), lightTheme),
    Error,
    "names the color glow",
  );
  assertThrows(() => standaloneSvg(SHEET.replace("viewBox", "box"), lightTheme), Error, "has no viewBox");
});
