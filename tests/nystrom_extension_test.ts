import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  auditApproximation,
  closeGpu,
  fitNystrom,
  matrixSource,
  normalizedCut,
  openGpu,
  rayleighQuotients,
} from "../mod.ts";
import { chooseNeighborSearch } from "../src/data/hnsw_neighbors.ts";
import { loadNystrom, saveNystrom } from "../src/data/nystrom_file.ts";
import { openExtension } from "../src/graph/nystrom_extension.ts";
import { assertClose } from "./assert_close.ts";
import { clusteredNodes } from "./clustered_nodes.ts";
import { inTemporaryFolder } from "./in_temporary_folder.ts";
import { randomMatrix, testSeed } from "./random.ts";
import { nystromExtension } from "./reference/nystrom_extension.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("openExtension() equals the float64 reference on awkward shapes", async (t) => {
  for (const [n, m, d, c] of [[1, 3, 1, 1], [7, 5, 3, 2], [131, 67, 13, 5], [4099, 1021, 6, 4]]) {
    await t.step(`${n} nodes, ${m} landmarks, ${d} channels, ${c} components`, async () => {
      const x = randomMatrix(n, d), landmarks = randomMatrix(m, d);
      const cut = await normalizedCut(gpu, landmarks, { components: c });
      const extension = openExtension(gpu, landmarks, cut);
      const { data } = await extension.extend(x);
      extension.release();
      const truth = nystromExtension(x, landmarks, cut.eigenvectors, cut.eigenvalues);
      assertClose(data, truth, { relative: 2e-4, note: `seed ${testSeed}` });
      assertEquals(gpu.memory.inUse, 0);
    });
  }
});

Deno.test("fitNystrom() with all neighbours gives landmarks their own vectors, and other nodes better ones than the K nearest", async () => {
  const x = clusteredNodes(1200, 24, 6, 0.6, testSeed), nodes = matrixSource(x);
  const exact = await normalizedCut(gpu, x, { components: 6, tolerance: 1e-6 });
  const angle = async (neighbors: number | "all") => {
    const fit = await fitNystrom(gpu, nodes, {
      ...{ landmarks: 300, neighbors, components: 6, sampling: "uniform", seed: testSeed },
    });
    const eigenvectors = await fit.transform(nodes);
    if (neighbors === "all") {
      const own = [...fit.landmarks.indices].flatMap((
        row,
      ) => [...eigenvectors.data.subarray(row * 6, row * 6 + 6)]);
      assertClose(
        Float32Array.from(own),
        Float64Array.from(fit.cut.eigenvectors.data),
        {
          relative: 2e-3,
          note: `seed ${testSeed}`,
        },
      );
    }
    const eigenvalues = await rayleighQuotients(gpu, x, eigenvectors);
    return auditApproximation(exact, { eigenvectors, eigenvalues }).leadingAngles[5];
  };
  const all = await angle("all"), nearest = await angle(32);
  assert(all < nearest, `${all} and ${nearest} degrees, seed ${testSeed}`);
});

Deno.test("a model with all neighbours is saved and loaded, and takes no other search", async () => {
  const nodes = matrixSource(clusteredNodes(200, 5, 4, 0.4, testSeed));
  const fit = await fitNystrom(gpu, nodes, { landmarks: 60, neighbors: "all", components: 4 });
  await inTemporaryFolder(async (folder) => {
    await saveNystrom(`${folder}/fit.arrow`, fit);
    const loaded = await loadNystrom(gpu, `${folder}/fit.arrow`);
    assertEquals((await loaded.transform(nodes)).data, (await fit.transform(nodes)).data);
  });
  await assertRejects(() => chooseNeighborSearch(gpu, fit, nodes, "hnsw"), RangeError, 'neighbors "all"');
});
