/** A thread that writes blocks of scenes, one after the other as it is asked. */
import { createSubject } from "../../fixtures/observer/mod.ts";
import { type SceneBlock, writeSceneBlock } from "./scene_block.ts";

/** What the thread is to do. */
export interface BlockRequest {
  out: string;
  block: SceneBlock;
  observerSeed: number;
}

/** What it says: after each step its note, then that the block is written, or why not. */
export type BlockAnswer = { note: string } | { error?: string };

/** This thread, as far as it is needed: the types at hand are those of the main one. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<BlockRequest>) => void;
  postMessage(answer: BlockAnswer): void;
};

let observer: ReturnType<typeof createSubject> | undefined;

thread.onmessage = async ({ data: { out, block, observerSeed } }) => {
  try {
    observer ??= createSubject(observerSeed);
    await writeSceneBlock(out, block, observer, (note) => thread.postMessage({ note }));
    thread.postMessage({});
  } catch (error) {
    thread.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};
