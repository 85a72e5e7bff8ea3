/** Dense products: the sizes of the targets, and the shapes of the pipeline. */
import { sync, VARIANTS } from "../../../src/gpu/mod.ts";
import { multiply } from "../../../src/linalg/matmul.ts";
import { allocateMatrix, downloadMatrix, uploadMatrix } from "../../../src/linalg/matrix.ts";
import { randomMatrix, sampleIndices, seededRandom } from "../../../src/linalg/random.ts";
import { loadMatrix, saveMatrix } from "../mixture.ts";
import type { OpenOwnWork } from "../work.ts";
import type { Figures, Peer, WorkPlan } from "../work_plan.ts";

/** Operations that a measured run should have at least, so that a wait of the queue does not count. */
const SOFTWARE_RUN = 8e9, HARDWARE_RUN = 4e12;
const MAX_REPEATS = 200;
/** Entries of the result that are checked. */
const CHECKED = 2000;

const ON_ADAPTER: Peer[] = [{ name: "jax-js", runtime: "javascript" }, {
  name: "tfjs",
  runtime: "javascript",
}];
const PYTHON: Peer[] = [{ name: "numpy", runtime: "python" }, { name: "torch-cuda", runtime: "python" }];

const SHAPES: [name: string, title: string, m: number, k: number, n: number, form: "AB" | "ABt" | "AtB"][] = [
  ["1024", "1024³", 1024, 1024, 1024, "AB"],
  ["2048", "2048³", 2048, 2048, 2048, "AB"],
  ["4096", "4096³", 4096, 4096, 4096, "AB"],
  ["affinity", "X Xᵀ of 5,000 × 64", 5000, 64, 5000, "ABt"],
  ["affinity-768", "X Xᵀ of 5,000 × 768", 5000, 768, 5000, "ABt"],
  ["apply", "A X, 5,000 × 5,000 by 32", 5000, 5000, 32, "AB"],
  ["gram", "Xᵀ Y, 20,000 × 32 each", 32, 20000, 32, "AtB"],
  ["landmarks", "B P, 65,536 × 300 by 21", 65536, 300, 21, "AB"],
  ["pooled", "P W, 64 × 3,456 by 96", 64, 3456, 96, "AB"],
];

export const plans: WorkPlan[] = SHAPES.map(([name, title, m, k, n, form]) => ({
  name: `matmul-${name}`,
  title: `matmul ${title}`,
  own: ["ours", ...(name === "1024" || name === "4096" ? VARIANTS.map((variant) => `ours, ${variant}`) : [])],
  peers: m === k && k === n ? [...ON_ADAPTER, ...PYTHON] : PYTHON,
  rounds: 7,
  ...(name === "affinity-768" && { like: "matmul-affinity" }),
  ...(name === "4096" && { onlyWhenNamed: "software" as const }),
  options(software) {
    const least = software ? SOFTWARE_RUN : HARDWARE_RUN;
    const repeat = Math.min(MAX_REPEATS, Math.max(1, Math.ceil(least / (2 * m * k * n))));
    return { m, k, n, form, repeat };
  },
  async prepare(folder) {
    const random = seededRandom(m + k + n);
    const matrix = (rows: number, cols: number) => randomMatrix(rows, cols, random);
    return {
      a: await saveMatrix(`${folder}/a.npy`, form === "AtB" ? matrix(k, m) : matrix(m, k)),
      b: await saveMatrix(`${folder}/b.npy`, form === "ABt" ? matrix(n, k) : matrix(k, n)),
    };
  },
  cost: () => ({ operations: 2 * m * k * n, bytes: 4 * (m * k + k * n + m * n) }),
  async judge(_gpu, results, files) {
    const a = await loadMatrix(files.a), b = await loadMatrix(files.b);
    const at = sampleIndices(m * n, Math.min(CHECKED, m * n), seededRandom(0));
    const exact = Array.from(at, (index) => {
      const row = Math.floor(index / n), col = index % n;
      let sum = 0;
      for (let j = 0; j < k; j++) {
        sum += (form === "AtB" ? a.data[j * m + row] : a.data[row * k + j]) *
          (form === "ABt" ? b.data[col * k + j] : b.data[j * n + col]);
      }
      return sum;
    });
    const scale = Math.max(...exact.map(Math.abs));
    const figures: Figures = {};
    for (const [name, path] of Object.entries(results)) {
      const { data } = await loadMatrix(path);
      const error = Math.max(...exact.map((value, i) => Math.abs(data[at[i]] - value)));
      figures[name] = { error: error / scale };
    }
    return figures;
  },
}));

export const open: OpenOwnWork = async (own, files, { m, n, form, repeat }, as) => {
  const gpu = { ...own, variant: VARIANTS.find((variant) => as.endsWith(variant)) ?? own.variant };
  const a = uploadMatrix(gpu, await loadMatrix(files.a), "A");
  const b = uploadMatrix(gpu, await loadMatrix(files.b), "B");
  const out = allocateMatrix(gpu, m as number, n as number, "C");
  const once = () => multiply(gpu, a, b, { transposeA: form === "AtB", transposeB: form === "ABt", out });
  let seconds = 0;
  return {
    async run() {
      const started = performance.now();
      for (let i = 0; i < (repeat as number); i++) once();
      await sync(gpu);
      seconds = (performance.now() - started) / 1000 / (repeat as number);
    },
    async warm() {
      once();
      await sync(gpu);
    },
    async profiled() {
      once();
      await sync(gpu);
    },
    seconds: () => seconds,
    async save(path) {
      await saveMatrix(path, await downloadMatrix(gpu, out));
    },
  };
};
