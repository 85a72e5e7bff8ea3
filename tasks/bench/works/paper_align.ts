/** Channel alignment at the paper's scale: one epoch, inputs made when they are read. */
import type { AlignData } from "../../../src/align/data.ts";
import { trainAlign } from "../../../src/align/train.ts";
import type { Matrix } from "../../../src/linalg/matrix.ts";
import { fillRandom, randomMatrix, seededRandom } from "../../../src/linalg/random.ts";
import type { OpenOwnWork } from "../work.ts";
import type { WorkPlan } from "../work_plan.ts";

/** Epochs of a whole training. */
const EPOCHS = 10;

export const plans: WorkPlan[] = [{
  name: "paper-align",
  title: "channel alignment at the paper's scale, one epoch: 36 slots × 768, 40,000 voxels, 9,000 images",
  own: ["ours"],
  peers: [],
  rounds: 1,
  onlyWhenNamed: "software",
  options: () => ({ slots: 36, width: 768, voxels: 40_000, images: 9000 }),
  prepare: () => Promise.resolve({}),
  // Ŷ = P W β and its three products back
  cost({ slots, width, voxels, images }) {
    const [l, d, v, i] = [slots, width, voxels, images].map(Number);
    return { operations: 2 * i * d * (2 * l * d + 3 * v), bytes: 4 * i * (l * d + v) };
  },
}];

/** Rows of noise, another piece of one table for every image. */
function madeRows(table: Float32Array, images: Uint32Array, cols: number): Matrix {
  const data = new Float32Array(images.length * cols);
  images.forEach((image, i) => {
    const from = (Math.imul(image + 1, 0x9e3779b1) >>> 0) % (table.length - cols);
    data.set(table.subarray(from, from + cols), i * cols);
  });
  return { data, rows: images.length, cols };
}

function madeData(slots: number, width: number, voxels: number, images: number): AlignData {
  const table = fillRandom(new Float32Array(2 ** 21), seededRandom(0));
  return {
    images,
    voxels,
    slots: Array.from({ length: slots }, (_, l) => ({ name: `slot ${l}`, width })),
    pooled: (rows) => Promise.resolve(madeRows(table, rows, slots * width)),
    responses: (rows) => Promise.resolve(madeRows(table, rows, voxels)),
    nodes: (_slot, count, random) => Promise.resolve(randomMatrix(count, width, random)),
  };
}

export const open: OpenOwnWork = (gpu, _files, options) => {
  const [slots, width, voxels, images] = ["slots", "width", "voxels", "images"].map((name) =>
    Number(options[name])
  );
  return Promise.resolve({
    warm: () => trainAlign(gpu, madeData(slots, width, voxels, 640), { epochs: 1 }),
    async run() {
      const started = performance.now();
      await trainAlign(gpu, madeData(slots, width, voxels, images), { epochs: 1 });
      return { "minutes for ten epochs": EPOCHS * (performance.now() - started) / 60_000 };
    },
  });
};
