/** What the machine can do at most, measured: a large product and a large copy. */
import { openGpu, sync } from "../../src/gpu/mod.ts";
import { startParticipant } from "./participant.ts";
import { pythonProgram } from "./programs.ts";

/** The two ceilings. */
export interface Limits {
  /** 10⁹ operations a second of the best product at hand; null where none is. */
  gflops: number | null;
  /** 10⁹ bytes a second of a copy, read and written bytes counted. */
  gbs: number;
  /** What measured them. */
  source: string;
}

/** The best of them counts: nothing is faster than a limit. */
const ROUNDS = 8;

/** By numpy, or by torch where it has a GPU; else the copy by WebGPU alone. */
export async function measureLimits(python: string | undefined, adapter?: string): Promise<Limits> {
  const measured = python === undefined ? null : await pythonLimits(python).catch(() => null);
  return measured ?? await copyLimit(adapter);
}

async function pythonLimits(python: string): Promise<Limits | null> {
  const participant = startParticipant(pythonProgram(python, "numpy"));
  try {
    const opened = await participant.ask({ do: "open", work: "limits", as: "numpy", files: {}, options: {} });
    if (opened.absent) return null;
    const gflops: number[] = [], gbs: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const { figures } = await participant.ask({ do: "run" });
      if (round === 0) continue; // warms up
      gflops.push(figures!.gflops);
      gbs.push(figures!.gbs);
    }
    await participant.ask({ do: "close" });
    const what = opened.device === "processor"
      ? "sgemm 2048³ and copy"
      : `sgemm 8192³ and copy, ${opened.device}`;
    return {
      gflops: Math.max(...gflops),
      gbs: Math.max(...gbs),
      source: `${opened.version}: ${what}`,
    };
  } finally {
    await participant.end();
  }
}

/** A copy between two buffers of 64 MiB on the adapter. */
async function copyLimit(adapter?: string): Promise<Limits> {
  using gpu = await openGpu({ adapter: adapter as "hardware" | "software" | undefined });
  const size = 2 ** 26, times = 16, usage = 0x04 | 0x08; // COPY_SRC | COPY_DST
  const [from, to] = [0, 1].map(() => gpu.device.createBuffer({ size, usage }));
  const gbs: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const encoder = gpu.device.createCommandEncoder(), started = performance.now();
    for (let i = 0; i < times; i++) encoder.copyBufferToBuffer(from, 0, to, 0, size);
    gpu.device.queue.submit([encoder.finish()]);
    await sync(gpu);
    if (round > 0) gbs.push(2e-6 * size * times / (performance.now() - started));
  }
  from.destroy();
  to.destroy();
  return {
    gflops: null,
    gbs: Math.max(...gbs),
    source: "a copy of buffers by WebGPU; no product to compare with without Python",
  };
}
