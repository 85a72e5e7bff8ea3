import { closeGpu, openGpu } from "./mod.ts";
import { readNpy, writeNpy } from "./src/data/npy.ts";
import { fitSpace } from "./src/align/space.ts";
import { predictResponses } from "./src/align/model.ts";
import { brainScore } from "./src/align/brain_score.ts";
import { trainAlign } from "./src/align/train.ts";
import { alignData } from "./src/align/data.ts";
const dir = "/opt/ac/universal/out", meta = JSON.parse(await Deno.readTextFile(`${dir}/meta.json`));
const m = async (n: string) => { const { data, shape } = await readNpy(`${dir}/${n}.npy`); return { data: data as Float32Array, rows: shape[0], cols: shape[1] }; };
const [p, y, tp, ty] = [await m("train_p"), await m("train_y"), await m("test_p"), await m("test_y")];
const gpu = await openGpu();
const tokens = [];
for (const n of ["clip_tiny", "dino_tiny", "mae_tiny"]) { const { data, shape: [L, I, T, W] } = await readNpy(`${dir}/img_${n}.npy`); for (let l = 0; l < L; l++) { const own = new Float32Array(2000 * W); for (let i = 0; i < 2000; i++) own.set((data as Float32Array).subarray((l * I * T + i * 9) * W, (l * I * T + i * 9 + 1) * W), i * W); tokens.push({ data: own, rows: 2000, cols: W }); } }
const space = await fitSpace(gpu, meta.slots, p, y);
const data = alignData(meta.slots, p, y, tokens);
console.log("start r", brainScore(await predictResponses(gpu, space.model, tp), ty).mean);
for (const [name, o] of Object.entries({
  t0: { lambdaTarget: 0, lambdaEigen: 0, lambdaZero: 0, lambdaCovariance: 0 },
  t1: { lambdaTarget: 1, lambdaEigen: 0, lambdaZero: 0, lambdaCovariance: 0 },
  t1e: { lambdaTarget: 1, lambdaEigen: 1 },
  t30e: { lambdaTarget: 30, lambdaEigen: 1 },
})) {
  const t = performance.now();
  const { model, history, bestEpoch } = await trainAlign(gpu, data, { start: space.model, decay: 0, rate: 3e-4, epochs: 10, ...o });
  console.log(name, ((performance.now() - t) / 1000).toFixed(1), "s best", bestEpoch, history.map((h) => h.validation.toFixed(4)).join(" "), "r", brainScore(await predictResponses(gpu, model, tp), ty).mean);
  await writeNpy(`${dir}/W_${name}.npy`, model.transforms.data, [model.transforms.rows, model.transforms.cols]);
}
closeGpu(gpu);
