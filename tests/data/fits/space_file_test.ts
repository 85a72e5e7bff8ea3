import { takeRows } from "../../../src/linalg/host_matrix.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { closeGpu, colorsInSpace, fitSlot, fitSpace, loadSpace, type Matrix, openGpu } from "../../../mod.ts";
import { applyAlign } from "../../../src/align/model.ts";
import { readSpace, saveSpace } from "../../../src/data/fits/space_file.ts";
import { nearestColors } from "../../../src/embed/spectral_colors.ts";
import { spectralMap } from "../../../src/embed/spectral_map.ts";
import { matrixSource } from "../../../src/graph/node_source.ts";
import { fitNystrom } from "../../../src/graph/nystrom.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { randomMatrix } from "../../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

/** Two slots of one image set, responses, and tokens. */
function inputs() {
  const slots = [{ name: "a L1", width: 6 }, { name: "a L2", width: 8 }];
  return {
    slots,
    pooled: randomMatrix(40, 14, 1),
    responses: randomMatrix(40, 20, 2),
    tokens: randomMatrix(300, 6, 3),
  };
}

/** Of the 20 voxels. */
const SHEET = {
  rois: Array.from({ length: 20 }, (_, voxel) => voxel % 3 ? "V1" : ""),
  leftVoxels: 12,
  places: randomMatrix(20, 2, 4),
  vertices: { data: Float32Array.from({ length: 20 }, (_, voxel) => 512 * voxel), rows: 20, cols: 1 },
};
const SOURCES = [{ model: "a", modelSha256: "0f", hook: "mlp", shifts: 2, preprocessing: "{}" }];

Deno.test("a saved space gives the tokens that it was made of the same colors, bit for bit, and those of a slot that joins", () =>
  inTemporaryFolder(async (root) => {
    const { slots, pooled, responses, tokens } = inputs(), path = `${root}/space.arrow`;
    const space = await fitSpace(gpu, slots, pooled, responses, { components: 5 });
    const aligned = matrixSource(await applyAlign(gpu, space.model, 0, tokens));
    for (const neighbors of ["all", 8] as const) {
      const fit = await fitNystrom(gpu, aligned, { landmarks: 60, components: 4, neighbors });
      const eigenvectors = await fit.transform(aligned);
      const { sample, nearest, maps: [{ points }] } = await spectralMap(gpu, matrixSource(eigenvectors), {
        sample: 50,
        iterations: 30,
      });
      const map = { vectors: takeRows(eigenvectors, sample), points };
      await saveSpace(path, {
        space,
        fit,
        map,
        sources: SOURCES,
        ...(neighbors === "all" && { sheet: SHEET }),
      });
      const saved = await loadSpace(gpu, path);
      assertEquals(saved.sources, SOURCES);
      assertEquals(saved.space, space);
      assertEquals((await readSpace(path)).sheet, neighbors === "all" ? SHEET : undefined);
      const found = await colorsInSpace(gpu, saved, 0, tokens);
      assertEquals(found.eigenvectors.data, eigenvectors.data);
      assertEquals(found.colors, nearestColors(points, nearest));

      // The same layer under another name, fitted anew from the same images: the same colors, but for rounding.
      const own: Matrix = { ...pooled, data: pooled.data.filter((_, at) => at % 14 < 6), cols: 6 };
      const joined = await fitSlot(gpu, saved.space, { name: "b L1", width: 6 }, own, responses);
      const again = await colorsInSpace(gpu, { ...saved, space: joined }, 2, tokens);
      assertEquals(again.colors.length, 3 * tokens.rows);
    }
  }));

Deno.test("loadSpace() says what is wrong with a file", () =>
  inTemporaryFolder(async (root) => {
    const { slots, pooled, responses, tokens } = inputs(), path = `${root}/space.arrow`;
    const space = await fitSpace(gpu, slots, pooled, responses, { components: 5 });
    const aligned = matrixSource(await applyAlign(gpu, space.model, 0, tokens));
    const fit = await fitNystrom(gpu, aligned, { landmarks: 60, components: 4, neighbors: "all" });
    const map = { vectors: randomMatrix(9, 4, 4), points: randomMatrix(9, 3, 5) };
    await saveSpace(path, { space, fit, map, sources: SOURCES });
    const bytes = await Deno.readFile(path), at = bytes.length >> 1;
    await Deno.writeFile(path, bytes.with(at, bytes[at] ^ 1));
    await assertRejects(() => loadSpace(gpu, path), Error, `Cannot read the space ${path}: `);
    await Deno.writeFile(path, bytes.subarray(0, at));
    await assertRejects(() => loadSpace(gpu, path), Error, "save it again with --save-space.");
    await assertRejects(
      () => loadSpace(gpu, `${root}/none.arrow`),
      Error,
      `Cannot read the space ${root}/none.arrow: `,
    );
  }));
