/** The same answer: twice, by other numbers of threads, in bindings of other sizes, from files in another order. */
import { subjectOf, syntheticDataset, vocOf } from "../../src/synthetic/dataset.ts";
import { closeGpu, openGpu } from "../../src/gpu/mod.ts";
import { fitNystrom, type Gpu, matrixSource, nearestNeighbors, normalizedCut, tsne } from "../../mod.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import { copyFolder } from "../support/copy_folder.ts";
import { BINDINGS, withBindings } from "../support/simulated_limits.ts";
import type { FaultFamily } from "./family.ts";
import { differences, hashesOf, runFolder, type SmallRun, smallRun, wholeRun } from "./small_run.ts";

/** Smaller bindings, which no adapter has, hold fewer rows than a split product takes at a time. */
const MIN_BINDING = 2 ** 20;

export const determinism: FaultFamily = {
  name: "determinism",
  title: "two runs, threads, sizes of bindings, order of files",
  async run({ quick, seed, report }) {
    const failures: string[] = [];
    let tried = 0;
    const gpu = await openGpu(), random = seededRandom(seed);
    const x = { data: fillRandom(new Float32Array(900 * 21), random), rows: 900, cols: 21 };
    const works: Record<string, (gpu: Gpu) => Promise<Float32Array>> = {
      normalizedCut: async (gpu) => (await normalizedCut(gpu, x, { components: 6 })).eigenvectors.data,
      fitNystrom: async (gpu) => {
        const fit = await fitNystrom(gpu, matrixSource(x), {
          landmarks: 200,
          neighbors: "all",
          components: 4,
        });
        return (await fit.transform(matrixSource(x))).data;
      },
      nearestNeighbors: async (gpu) => (await nearestNeighbors(gpu, x, x, { k: 9 })).similarities,
      tsne: async (gpu) => (await tsne(gpu, x, { iterations: 40 })).points.data,
    };
    for (const [name, work] of Object.entries(works)) {
      const first = await work(gpu);
      for (const bytes of [...BINDINGS.filter((bytes) => bytes >= MIN_BINDING), Infinity]) {
        tried++;
        const found = await work(withBindings(gpu, bytes));
        if (found.some((value, at) => !Object.is(value, first[at]))) {
          failures.push(`${name}, bindings of ${bytes} bytes: other bits`);
        }
      }
    }
    closeGpu(gpu);
    report(`${tried} computations`);

    if (quick) return { tried, failures };

    const root = await Deno.makeTempDir({ prefix: "alignedcut-same-" });
    try {
      const run = async (name: string, more: Partial<SmallRun> = {}) => {
        await runFolder(`${root}/${name}`);
        const { code, said } = await smallRun({ folder: `${root}/${name}`, ...more });
        if (code !== 0) failures.push(`${name}: ${said}`);
        return await hashesOf(`${root}/${name}`);
      };
      const compare = (what: string, a: Record<string, string>, b: Record<string, string>) => {
        tried++;
        const differ = differences(a, b);
        if (differ.length > 0) failures.push(`${what}: other bytes in ${differ.slice(0, 4).join(", ")}`);
        report(what);
      };
      const { hashes: first } = await wholeRun();
      compare("a second run", first, await run("second"));
      for (const threads of ["0", "1", "2", "3"]) {
        compare(
          `LP_NUM_THREADS=${threads}`,
          first,
          await run(`threads${threads}`, { env: { LP_NUM_THREADS: threads } }),
        );
      }
      // onnxruntime and sharp take as many threads as there are processors to run on.
      compare("one processor (taskset -c 0)", first, await run("processor", { processors: "0" }));
      const dataset = await syntheticDataset(120);
      for (const [kind, from] of [["subject", subjectOf(dataset)], ["voc", vocOf(dataset)]]) {
        await copyFolder(from, `${root}/${kind}`, true);
      }
      const own = ["--data", `algonauts:${root}/subject`, "--data", `voc:${root}/voc`];
      const stored = (path: string) => /\.(npy|arrow)$/.test(path);
      const byContent = (hashes: Record<string, string>) =>
        Object.fromEntries(
          Object.entries(hashes).filter(([path]) => stored(path) && !path.startsWith("cache/synthetic")).map((
            [path, hash],
          ) => [path.replace(/-[0-9a-f]{16}/, ""), hash]),
        );
      compare(
        "files copied in the reverse order",
        byContent(first),
        byContent(await run("copied", { args: own })),
      );
    } finally {
      await Deno.remove(root, { recursive: true });
    }
    return { tried, failures };
  },
};
