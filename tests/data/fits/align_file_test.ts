import { assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu } from "../../../mod.ts";
import { trainAlign } from "../../../src/align/train.ts";
import { alignCheckpoint, loadAlign, saveAlign } from "../../../src/data/fits/align_file.ts";
import { assertSameBits } from "../../support/assert_same_bits.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { testSeed } from "../../support/random.ts";
import { dataOf, problem, QUICK } from "../../support/align_problem.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

Deno.test("saveAlign() and loadAlign() keep every bit, and a broken file is named", async () => {
  await inTemporaryFolder(async (folder) => {
    const path = `${folder}/align.arrow`;
    const { model, history } = await trainAlign(gpu, dataOf(problem(32)), { ...QUICK, epochs: 2 });
    await saveAlign(path, { model, history, options: { eigenWeight: 1 } });
    const saved = await loadAlign(path);
    assertEquals(saved, { model, history, options: { eigenWeight: 1 } });
    const bytes = await Deno.readFile(path);
    const altered = bytes.slice(), at = bytes.length >> 1; // in the values
    altered[at] ^= 1;
    await Deno.writeFile(path, altered);
    await assertRejects(
      () => loadAlign(path),
      Error,
      `Cannot read the alignment ${path}: it is damaged; train`,
    );
    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 2000));
    await assertRejects(() => loadAlign(path), Error, `Cannot read the alignment ${path}: `);
    await assertRejects(
      () => loadAlign(`${folder}/none.arrow`),
      Error,
      `Cannot read the alignment ${folder}/none.arrow: `,
    );
  });
});

Deno.test("alignCheckpoint() goes on from its own file only", async () => {
  await inTemporaryFolder(async (folder) => {
    const path = `${folder}/state.arrow`, data = dataOf(problem(64));
    const whole = await trainAlign(gpu, data, QUICK);
    let epochs = 0;
    const killed = alignCheckpoint(path, "key");
    await assertRejects(
      () =>
        trainAlign(gpu, data, {
          ...QUICK,
          checkpoint: {
            load: killed.load,
            save: async (state) => {
              if (++epochs === 3) throw new Error("killed");
              await killed.save(state);
            },
          },
        }),
      Error,
      "killed",
    );
    assertEquals(await alignCheckpoint(path, "another").load(), null);
    const resumed = await trainAlign(gpu, data, { ...QUICK, checkpoint: alignCheckpoint(path, "key") });
    assertSameBits(resumed.model.transforms.data, whole.model.transforms.data, note);
    assertEquals(resumed.history, whole.history);
  });
});
