/** The regression bench: ratios of a few works on one adapter beside the committed ones. */
import naiveCode from "./naive_matmul.wgsl" with { type: "text" };
import { writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import { tsne } from "../../src/embed/tsne.ts";
import { dispatch, type Gpu, openGpu, sync } from "../../src/gpu/mod.ts";
import { ridge } from "../../src/align/ridge.ts";
import { matrixSource } from "../../src/graph/node_source.ts";
import { normalizedCut } from "../../src/graph/normalized_cut.ts";
import { fitNystrom } from "../../src/graph/nystrom.ts";
import { multiply } from "../../src/linalg/matmul.ts";
import { allocateMatrix, type Matrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { doubleSoftwareThreads } from "../shared/software_threads.ts";
import { mixture } from "./mixture.ts";
import { type Ratios, regressions, warning } from "./ratios.ts";
import { pairedRatio } from "./statistics.ts";

const FILE = new URL("./ratios.json", import.meta.url);
const ROUNDS = 5;
/** t-SNE's steps cost so little that many are timed at once; on the grid, fewer. */
const STEPS = 100, GRID_STEPS = 10;

type Timed = () => Promise<void>;

/** Measures the ratios and reports which have grown; never fails on time. */
export async function checkRatios(update: boolean): Promise<void> {
  doubleSoftwareThreads();
  using gpu = await openGpu();
  const kind = gpu.adapter.software ? "software" : "hardware", found = await measureRatios(gpu);
  const committed: Record<string, Ratios> = JSON.parse(await Deno.readTextFile(FILE));
  for (const [name, value] of Object.entries(found)) {
    const expected = committed[kind]?.[name];
    console.log(
      `${name}: ${value.toPrecision(3)}${expected ? ` (committed ${expected.toPrecision(3)})` : " (new)"}`,
    );
  }
  const onGithub = Deno.env.get("GITHUB_ACTIONS") === "true";
  for (const grown of regressions(committed[kind] ?? {}, found)) console.log(warning(grown, onGithub));
  if (!update) return;
  const rounded = Object.fromEntries(
    Object.entries(found).map(([name, value]) => [name, Number(value.toPrecision(3))]),
  );
  await writeFileAtomic(FILE.pathname, JSON.stringify({ ...committed, [kind]: rounded }, null, 2) + "\n");
}

async function measureRatios(gpu: Gpu): Promise<Ratios> {
  const square = mixture(1024, 1024, 8, 1, 0);
  const a = uploadMatrix(gpu, square, "A"), b = uploadMatrix(gpu, square, "B");
  const c = allocateMatrix(gpu, 1024, 1024, "C");
  const dense = uploadMatrix(gpu, mixture(5000, 5000, 8, 1, 1), "dense");
  const block = uploadMatrix(gpu, mixture(5000, 32, 8, 1, 2), "block");
  const image = allocateMatrix(gpu, 5000, 32, "image");
  const nodes = mixture(5000, 64, 40, 1, 0), points = mixture(5000, 20, 20, 0.5, 0);
  const wide = mixture(5000, 768, 40, 1, 0), many = mixture(20_000, 20, 20, 0.5, 0);
  const large = matrixSource(mixture(40_000, 64, 40, 1, 0));
  const images = mixture(400, 800, 40, 1, 0), voxels = mixture(400, 300, 8, 1, 1);
  const product = async () => {
    multiply(gpu, a, b, { out: c });
    await sync(gpu);
  };
  const naive = async () => {
    dispatch(gpu, { label: "naive_matmul", code: naiveCode }, {
      buffers: [a.panels[0], b.panels[0], c.panels[0]],
      params: { n: 1024 },
      workgroups: [128, 128],
      sizes: "1024 × 1024",
    });
    await sync(gpu);
  };
  const apply = async () => {
    multiply(gpu, dense, block, { out: image });
    await sync(gpu);
  };
  const cut = async (x: Matrix) => void await normalizedCut(gpu, x, { components: 20, tolerance: 1e-4 });
  const nystrom = async () => {
    const settings = { landmarks: 2000, neighbors: 32, sampling: "uniform", components: 20 } as const;
    await (await fitNystrom(gpu, large, settings)).transform(large);
  };
  const steps = (x: Matrix, dimensions: 2 | 3, iterations: number) => async () =>
    void await tsne(gpu, x, { dimensions, iterations });
  return {
    "matmul 1024³ over a naive kernel": await ratio(product, naive),
    "normalised cut of 5,000 over one A X": await ratio(() => cut(nodes), apply),
    "normalised cut of 5,000 × 768 over one A X": await ratio(() => cut(wide), apply),
    "Nyström of 40,000 with 2,000 landmarks over one A X": await ratio(nystrom, apply),
    "ridge of 400 images × 800 features over one A X": await ratio(
      async () => void await ridge(gpu, images, voxels),
      apply,
    ),
    [`${STEPS} steps of t-SNE on 5,000 over one matmul 1024³`]: await ratio(steps(points, 3, STEPS), product),
    [`${GRID_STEPS} steps of t-SNE on 20,000 over one matmul 1024³`]: await ratio(
      steps(many, 2, GRID_STEPS),
      product,
    ),
  };
}

/** The median ratio over rounds in which both take turns. */
async function ratio(work: Timed, unit: Timed): Promise<number> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, run] of [work, unit].entries()) {
      const started = performance.now();
      await run();
      if (round > 0) times[i].push(performance.now() - started); // the first one compiles
    }
  }
  return pairedRatio(...times);
}
