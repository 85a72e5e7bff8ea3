import { figure, table, text } from "../../src/report/blocks.ts";
import { renderChart } from "../../src/report/chart.ts";
import { barChart } from "../../src/report/charts/bar.ts";
import { eigenvaluesChart } from "../../src/report/charts/eigenvalues.ts";
import { lineByLayerChart } from "../../src/report/charts/line_by_layer.ts";
import { colorGrid } from "../../src/report/color_grid.ts";
import { rawHtml } from "../../src/report/html.ts";
import { renderPage } from "../../src/report/page.ts";
import { pageTheme } from "../../src/report/theme.ts";
import { pngDataUri } from "../../src/report/tiny_png.ts";

const LAYERS = Array.from({ length: 12 }, (_, i) => `L${i + 1}`);

/** Every kind of block once, with made-up numbers, 24 images and hostile names: for tests of the page only. */
export async function samplePage(): Promise<string> {
  const layers = LAYERS.map((label, l) => ({
    label,
    values: Array.from({ length: 19 }, (_, c) => (0.3 + 0.03 * l) * Math.exp(-c / (4 + l / 3))),
  }));
  const series = ["mae-tiny", "clip-tiny"].map((label, s) => ({
    label,
    values: LAYERS.map((_, l) => 0.2 + 0.25 * Math.sin((l + s) / 5)),
  }));
  const bars = [
    { label: "extract", value: 3.21 },
    { label: "normalised cut", value: 41.7, emphasis: true },
    { label: "t-SNE", value: 22.05 },
  ];
  const draw = async (name: string, at: (width: number) => Parameters<typeof renderChart>[0]) => ({
    svg: await renderChart(at(680), pageTheme, name),
    narrowSvg: await renderChart(at(320), pageTheme, `${name}-narrow`),
  });
  return renderPage({
    title: "Colors",
    question: "Do the colors of a layer follow the image, or only the position in it?",
    method:
      "Tokens of every layer become nodes of one graph with affinity exp(cos − 1). The leading eigenvectors of " +
      "its normalised affinity are embedded in three dimensions by t-SNE. Each coordinate is read as red, green or blue.",
    equation: rawHtml(
      '<math display="block"><msup><mi>D</mi><mrow><mo>−</mo><mn>1/2</mn></mrow></msup><mi>A</mi>' +
        "<msup><mi>D</mi><mrow><mo>−</mo><mn>1/2</mn></mrow></msup><mi>X</mi><mo>=</mo><mi>X</mi><mi>Λ</mi></math>",
    ),
    sections: [
      { heading: "Color maps", body: [text("Each row is an image, each column a layer."), sampleGrid()] },
      {
        heading: "Eigenvalues",
        body: figure({
          image: await draw(
            "eigen",
            (width) => eigenvaluesChart({ layers, firstComponent: 2, yScale: "log", width }, pageTheme),
          ),
          caption: "Eigenvalues of the normalised affinity by layer, the trivial first one left out.",
          alt: "Eigenvalues fall more slowly in late layers.",
        }),
      },
      {
        heading: "Segmentation <script>alert(1)</script>",
        body: [
          figure({
            image: await draw("miou", (width) =>
              lineByLayerChart({
                metric: "mIoU",
                layers: LAYERS,
                series,
                rule: { label: "paper 0.6", value: 0.6 },
                width,
              }, pageTheme)),
            caption: "Figure-ground mIoU by layer.",
            alt: "Both models peak at L8.",
          }),
          table({
            caption: "Figure-ground mIoU",
            columns: ["model", "best layer", "mIoU", "residual"],
            rows: [["mae-tiny", "L8", 0.4499, 0.0000091], ["raw RGB and position", "–", -0.31, 0.00000421]],
          }),
        ],
      },
      {
        heading: "Time",
        body: figure({
          image: await draw("time", (width) => barChart({ metric: "wall time (s)", bars, width }, pageTheme)),
          caption: "Wall time by stage on the software adapter.",
          alt: "The normalised cut takes the most time, 41.7 s.",
        }),
      },
    ],
    claims: [{
      id: "order",
      paper: "Figure and ground are told apart before categories are.",
      measured: "figure-ground mIoU reaches 95 % of its peak at L4, category mIoU at L9",
      statistic: "layers by which figure and ground come earlier; units are images, bootstrapped",
      verdict: "partly",
      false_alarm: { rate: 0.03, worlds: 100 },
      cells: (["shown", "not shown", "not testable"] as const).map((verdict) => ({
        model: `model ${verdict}`,
        setting: "own graphs",
        unit: "layers",
        n: 100,
        ...verdict === "not testable"
          ? { note: "it has one layer" }
          : { effect: verdict === "shown" ? 5 : 0.5, low: verdict === "shown" ? 3 : -1, high: 6, p: 0.001 },
        verdict,
      })),
    }],
    settings: {
      adapter: "llvmpipe (LLVM 15.0.6, 256 bits)",
      seed: 0,
      images: 24,
      data: "<img src=x onerror=alert(1)>",
    },
    command: "./run reproduce --images photographs --model model.onnx --out reports/out --seed 0 --quick",
    beside: {
      home: { title: "Overview", href: "index.html" },
      next: { title: "Segments <b>", href: "segments.html" },
    },
  });
}

function sampleGrid() {
  const rows = Array.from({ length: 24 }, (_, image) => ({
    label: image === 1 ? '"><img src=x onerror=alert(2)>.png' : `scene ${image + 1}`,
    photo: map(112, image, 11),
    cells: LAYERS.map((_, layer) => map(14, image, layer)),
  }));
  return colorGrid({ label: "Color maps by image and layer", columns: LAYERS, rows });
}

/** Smooth blobs that differ by image and get sharper by layer. */
function map(size: number, image: number, layer: number): string {
  const rgb = new Uint8Array(size * size * 3);
  for (let i = 0; i < size * size; i++) {
    const x = (i % size) / size, y = Math.floor(i / size) / size;
    const blob = Math.hypot(x - 0.3 - 0.02 * (image % 17), y - 0.35 - 0.013 * image);
    const inside = 1 / (1 + Math.exp((blob - 0.3) * (4 + 3 * layer)));
    rgb.set([255 * inside, 255 * (0.2 + 0.6 * y), 255 * (1 - 0.8 * inside) * (0.5 + 0.5 * x)], 3 * i);
  }
  return pngDataUri(size, size, rgb);
}
