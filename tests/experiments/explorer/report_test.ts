import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decode } from "fast-png";
import { explorerDrawings } from "../../../src/experiments/explorer/report.ts";
import { divergingColor } from "../../../src/report/cortex/surface_colors.ts";
import { saveDrawings } from "../../../src/report/figure_files.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { sampleExploration, surfaceSheet } from "../../support/sample_exploration.ts";

const MAPS = ["photograph", "similarity", "colors", "segments", "eigenvector"];
const VIEWS = ["from-behind", "from-below", "outer-sides", "inner-sides", "flat-map"];
const NAMES = [...MAPS, "figure-ground", "nearest", ...VIEWS.map((view) => `cortex-${view}`)];

function pixelsOf(drawing: string): Uint8Array {
  const [, base64] = /<image [^>]*href="data:image\/png;base64,([^"]*)"/.exec(drawing)!;
  return Uint8Array.from(decode(Uint8Array.fromBase64(base64)).data);
}

Deno.test("explorerDrawings() has the maps that the page opens on, which are files under their names", () =>
  inTemporaryFolder(async (out) => {
    const sheet = await surfaceSheet(), { content } = await sampleExploration(sheet), missing: string[] = [];
    const drawings = await explorerDrawings(content, sheet, (reason) => missing.push(reason));
    assertEquals([drawings.map(({ name }) => name), missing], [[...NAMES, "similarity-everywhere"], []]);
    const { opening, images, tokens, grid } = content, patch = opening.token - 1;
    const first = (opening.slot * images.length + opening.image) * tokens + 1;
    const [, similarity, colors, segments] = drawings.map(({ drawing }) => drawing);
    assertEquals([...pixelsOf(similarity).subarray(3 * patch, 3 * patch + 3)], divergingColor(1));
    assertEquals(
      pixelsOf(colors),
      content.colors.slice(3 * first, 3 * (first + grid.rows * grid.cols)),
    );
    assertStringIncludes(segments, '<path transform="translate(0 40)" d="M');
    const strip = drawings[MAPS.length + 1].drawing;
    assertEquals(strip.match(/<image /g)!.length, images.length - 1);
    assertStringIncludes(strip, "cosine ");
    const cortices = drawings.filter(({ name }) => name.startsWith("cortex-"));
    assertEquals(new Set(cortices.map(({ drawing }) => pixelsOf(drawing).join())).size, VIEWS.length);
    for (const { drawing } of cortices) assertStringIncludes(drawing, "activation, standard deviations");
    assertStringIncludes(cortices.at(-1)!.drawing, ">FFA</text>");
    for (const { name, drawing } of drawings) {
      assert(!drawing.includes("<script") && !drawing.includes("<img"), name);
    }
    const written = await saveDrawings(`${out}/explorer.html`, drawings, ["svg"]);
    assertEquals(
      written.slice(0, NAMES.length),
      NAMES.map((name) => `${out}/figures/explorer-${name}.svg`),
    );
    assertEquals(await saveDrawings(`${out}/explorer.html`, drawings.slice(0, 2), ["png"]), [
      `${out}/figures/explorer-photograph.png`,
      `${out}/figures/explorer-similarity.png`,
    ]);
  }));

Deno.test("explorerDrawings() says why figure and ground cannot be drawn, and leaves out a cortex of no regions", async () => {
  const sheet = await surfaceSheet(), { content } = await sampleExploration(sheet), missing: string[] = [];
  const aligned = { ...content.aligned, bits: new Uint16Array(content.aligned.bits.length) };
  const drawings = await explorerDrawings(
    { ...content, aligned, rois: [] },
    sheet,
    (reason) => missing.push(reason),
  );
  assertEquals(
    drawings.map(({ name }) => name),
    [...MAPS, "nearest", "similarity-everywhere"],
  );
  assertEquals(missing.length, 1);
  assertStringIncludes(missing[0], "No figure explorer-figure-ground: ");
});
