/** The regression bench: ratios of a few works on one adapter beside the committed ones. */
import naiveCode from "./naive_matmul.wgsl" with { type: "text" };
import { writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import { tsne } from "../../src/embed/tsne.ts";
import { dispatch, type Gpu, openGpu, sync } from "../../src/gpu/mod.ts";
import { normalizedCut } from "../../src/graph/normalized_cut.ts";
import { multiply } from "../../src/linalg/matmul.ts";
import { allocateMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { doubleSoftwareThreads } from "../shared/software_threads.ts";
import { mixture } from "./mixture.ts";
import { type Ratios, regressions, warning } from "./ratios.ts";
import { pairedRatio } from "./statistics.ts";

const FILE = new URL("./ratios.json", import.meta.url);
const ROUNDS = 5;
/** t-SNE's steps cost so little that many are timed at once. */
const STEPS = 100;

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
  const cut = async () => {
    await normalizedCut(gpu, nodes, { components: 20, tolerance: 1e-4 });
  };
  const steps = async () => {
    await tsne(gpu, points, { iterations: STEPS });
  };
  return {
    "matmul 1024³ over a naive kernel": await ratio(product, naive),
    "normalised cut of 5,000 over one A X": await ratio(cut, apply),
    "100 steps of t-SNE on 5,000 over one matmul 1024³": await ratio(steps, product),
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
