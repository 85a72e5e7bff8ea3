/** A small alignment problem. */
import type { Matrix } from "../../mod.ts";
import { alignData } from "../../src/align/data.ts";
import { clusteredMatrix } from "./clustered.ts";
import { randomMatrix } from "./random.ts";
import type { AlignOptions } from "../../src/align/train_options.ts";

export const SLOTS = [{ name: "a L1", width: 13 }, { name: "a L2", width: 13 }, { name: "b L1", width: 20 }];

export const VOXELS = 37;

/** Responses that are a linear map of rank 3 of the pooled features, and a tenth of noise. */
export function problem(images: number) {
  const pooled = randomMatrix(images, 46, 1);
  const [left, right, noise] = [[46, 3], [3, VOXELS], [images, VOXELS]].map(([rows, cols], i) =>
    randomMatrix(rows, cols, 2 + i)
  );
  const data = new Float32Array(images * VOXELS);
  for (let i = 0; i < images; i++) {
    for (let c = 0; c < 3; c++) {
      let z = 0;
      for (let k = 0; k < 46; k++) z += pooled.data[i * 46 + k] * left.data[k * 3 + c];
      for (let v = 0; v < VOXELS; v++) data[i * VOXELS + v] += z * right.data[c * VOXELS + v] / 4;
    }
    for (let v = 0; v < VOXELS; v++) data[i * VOXELS + v] += 0.1 * noise.data[i * VOXELS + v] + 0.5;
  }
  const tokens = SLOTS.map(({ width }, slot) => clusteredMatrix(300, width, 4, 0.4, slot));
  return { pooled, responses: { data, rows: images, cols: VOXELS }, tokens };
}

export function dataOf(
  { pooled, responses, tokens }: { pooled: Matrix; responses: Matrix; tokens: Matrix[] },
) {
  return alignData(SLOTS, pooled, responses, tokens);
}

export const QUICK: AlignOptions = {
  width: 8,
  epochs: 4,
  batch: 32,
  components: 4,
  nodes: 80,
  constrainEvery: 2,
};
