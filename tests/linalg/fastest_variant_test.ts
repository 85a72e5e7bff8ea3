import { assert, assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { VARIANTS } from "../../src/gpu/mod.ts";
import { fastestVariant } from "../../src/linalg/fastest_variant.ts";
import { openTaskGpu } from "../../tasks/shared/open_task_gpu.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

Deno.test("fastestVariant() takes one of the variants and gives its buffers back", async () => {
  const gpu = await openGpu();
  assert(VARIANTS.includes(await fastestVariant(gpu)));
  assertEquals(gpu.memory.inUse, 0);
  closeGpu(gpu);
});

Deno.test("openTaskGpu() goes by what is noted of its adapter, and times the variants where that is no variant", async () => {
  await inTemporaryFolder(async (root) => {
    const path = `${root}/cache/adapters.json`;
    const open = async () => {
      const gpu = await openTaskGpu(undefined, `${root}/cache`);
      closeGpu(gpu);
      return gpu.variant;
    };
    const timed = await open(), noted = JSON.parse(await Deno.readTextFile(path));
    const [adapter] = Object.keys(noted);
    assertEquals(noted, { [adapter]: timed });
    await Deno.writeTextFile(path, JSON.stringify({ [adapter]: "registers" }));
    assertEquals(await open(), "registers");
    for (const broken of ["{", JSON.stringify({ [adapter]: "fast" })]) {
      await Deno.writeTextFile(path, broken);
      assert(VARIANTS.includes(await open()));
      assert(adapter in JSON.parse(await Deno.readTextFile(path)));
    }
  });
});
