/** Blocks of scenes written by several threads, the calling one among them. */
import type { BlockAnswer, BlockRequest } from "./block_worker.ts";
import type { SimulatedSubject } from "./subject_voxels.ts";
import { type SceneBlock, writeSceneBlock } from "./scene_block.ts";

/** Most threads: each makes a simulated subject of its own first, and holds 100 MB. */
const MAX_THREADS = 8;

/** What `writeBlocks` is to do. */
export interface BlockWork {
  out: string;
  blocks: SceneBlock[];
  subject: SimulatedSubject;
  /** Seed that `subject` was created with, for those of the other threads. */
  subjectSeed: number;
  /** Threads; 1 for the calling one alone. */
  threads: number;
  /** What the calling thread does before it takes blocks, too. */
  first(): Promise<void>;
  tick(note: string): void;
}

/**
 * Writes all blocks; which thread writes which makes no difference to any byte.
 *
 * @throws what the first thread to fail has thrown
 */
export async function writeBlocks(work: BlockWork): Promise<void> {
  const { out, blocks, subject, subjectSeed, tick } = work;
  const waiting = [...blocks];
  const workers = Array.from(
    { length: Math.min(work.threads, MAX_THREADS, blocks.length) - 1 },
    () => new Worker(new URL("./block_worker.ts", import.meta.url), { type: "module" }),
  );
  const own = async () => {
    await work.first();
    for (let block = waiting.shift(); block; block = waiting.shift()) {
      await writeSceneBlock(out, block, subject, tick);
    }
  };
  const other = async (worker: Worker) => {
    for (let block = waiting.shift(); block; block = waiting.shift()) {
      await written(worker, { out, block, subjectSeed }, tick);
    }
  };
  try {
    await Promise.all([own(), ...workers.map(other)]);
  } finally {
    waiting.length = 0;
    for (const worker of workers) worker.terminate();
  }
}

function written(worker: Worker, request: BlockRequest, tick: (note: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<BlockAnswer>) => {
      if (!("note" in data)) return data.error === undefined ? resolve() : reject(new Error(data.error));
      try {
        tick(data.note);
      } catch (error) {
        reject(error);
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`The thread that renders scenes has ended: ${event.message}.`));
    };
    worker.postMessage(request);
  });
}
