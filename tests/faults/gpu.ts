/** What graphics cards do: no memory, no device any more, code that does not compile, small limits, no adapter. */
import { allocate, closeGpu, dispatch, type Gpu, openGpu, trim, VARIANTS } from "../../src/gpu/mod.ts";
import { fitNystrom, type Matrix, matrixSource, nearestNeighbors, normalizedCut, tsne } from "../../mod.ts";
import { matmul } from "../../src/linalg/matmul.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import { BINDINGS, withBindings, withMemory } from "../support/simulated_limits.ts";
import { type FaultFamily, unclear } from "./family.ts";
import { openMinimum } from "./minimum_limits.ts";
import { runFolder, smallRun } from "./small_run.ts";

/** Moments, in ms, at which the device goes. */
const MOMENTS = { quick: [0, 5, 40], whole: [0, 1, 2, 3, 5, 8, 13, 20, 30, 40, 60, 80, 120, 200] };

export const gpuFaults: FaultFamily = {
  name: "gpu",
  title: "no memory, a lost device, code that does not compile, small limits, no adapter",
  async run({ quick, seed, report }) {
    const failures: string[] = [], random = seededRandom(seed);
    const matrix = (rows: number, cols: number): Matrix => ({
      data: fillRandom(new Float32Array(rows * cols), random),
      rows,
      cols,
    });
    let tried = 0;
    const refuses = async (what: string, run: () => unknown, message: RegExp, mayWork = false) => {
      tried++;
      try {
        await run();
        if (!mayWork) failures.push(`${what}: it was taken`);
      } catch (error) {
        const said = (error as Error).message;
        if (!message.test(said) || unclear(said)) failures.push(`${what}: ${said}`);
      }
    };

    const gpu = await openGpu();
    await refuses("a buffer of 1 TB", () => allocate(gpu, 2 ** 40, "everything"), /everything/);
    await refuses(
      "code that does not compile",
      () =>
        dispatch(gpu, {
          label: "broken_kernel",
          code: "@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }",
        }, {
          buffers: [],
          workgroups: [1],
          sizes: "1",
        }),
      /broken_kernel/,
      true, // reported by the next wait
    );
    await refuses(
      "the call after it",
      () => matmul(gpu, matrix(200, 4), matrix(4, 3)),
      /broken_kernel/,
    );
    closeGpu(gpu);

    const all = await openGpu(), x = matrix(700, 12);
    const whole = await normalizedCut(all, x, { components: 5 });
    for (const bytes of BINDINGS) {
      tried++;
      const cut = await normalizedCut(withBindings(all, bytes), x, { components: 5 });
      if (cut.eigenvectors.data.some((value, at) => value !== whole.eigenvectors.data[at])) {
        failures.push(`bindings of ${bytes} bytes: other bits`);
      }
    }
    closeGpu(all);

    const works: Record<string, (gpu: Gpu) => Promise<ArrayLike<number>>> = {
      normalizedCut: async (gpu) => (await normalizedCut(gpu, x, { components: 5 })).eigenvectors.data,
      "normalizedCut, tiled": async (gpu) =>
        (await normalizedCut(gpu, x, { components: 5, storage: "tiled" })).eigenvectors.data,
      fitNystrom: async (gpu) =>
        (await fitNystrom(gpu, matrixSource(x), { landmarks: 200, neighbors: "all", components: 4 })).cut
          .eigenvectors.data,
      nearestNeighbors: async (gpu) => (await nearestNeighbors(gpu, x, x, { k: 8 })).similarities,
      tsne: async (gpu) => (await tsne(gpu, x, { iterations: 60 })).points.data,
    };
    const least = await openMinimum(), most = await openGpu(), right: Record<string, ArrayLike<number>> = {};
    const differs = (name: string, found: ArrayLike<number>) =>
      Array.from(found).some((value, at) => !Object.is(value, right[name][at]));
    for (const [name, work] of Object.entries(works)) {
      right[name] = await work(most);
      for (const variant of VARIANTS) {
        tried++;
        const found = await work({ ...least, variant }).catch((error: Error) => error.message);
        if (typeof found === "string") failures.push(`${name}, ${variant}, least limits: ${found}`);
        else if (differs(name, found)) failures.push(`${name}, ${variant}, least limits: other bits`);
      }
    }
    closeGpu(least);
    // Panels of 4,096 rows do not fit here; smaller ones do.
    const rows = matrix(5003, 6), base = matrix(401, 6);
    const near = async (gpu: Gpu) => (await nearestNeighbors(gpu, rows, base, { k: 40 })).similarities;
    right.memory = await near(most);
    trim(most);
    tried++;
    const found = await near(withMemory(most, 2 ** 18)).catch((error: Error) => error.message);
    if (typeof found === "string") failures.push(`no memory for large panels: ${found}`);
    else if (differs("memory", found)) failures.push("no memory for large panels: other bits");
    closeGpu(most);

    for (const [name, work] of Object.entries(works)) {
      for (const moment of quick ? MOMENTS.quick : MOMENTS.whole) {
        const own = await openGpu(), what = `${name}, the device lost after ${moment} ms`;
        const timer = setTimeout(() => own.device.destroy(), moment);
        await refuses(
          what,
          async () => {
            if (differs(name, await work(own))) failures.push(`${what}: other bits`);
          },
          /lost|closed|destroyed|gone/i,
          true,
        );
        clearTimeout(timer);
        closeGpu(own);
      }
    }

    tried++;
    const folder = await runFolder(await Deno.makeTempDir({ prefix: "alignedcut-gpu-" }));
    const { code, said } = await smallRun({
      folder,
      env: { DENO_WEBGPU_BACKEND: "dx12" }, // none here
    });
    if (code !== 1 || !/adapter/.test(said) || unclear(said)) {
      failures.push(`no adapter: exit code ${code}, ${said}`);
    }
    await Deno.remove(folder, { recursive: true });
    report(`${tried} tried, ${failures.length} failed`);
    return { tried, failures };
  },
};
