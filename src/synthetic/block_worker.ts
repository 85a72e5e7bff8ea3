/** A thread that writes blocks of scenes, one after the other as it is asked. */
import { createSubject } from "../../fixtures/subject/mod.ts";
import { type SceneBlock, writeSceneBlock } from "./scene_block.ts";

/** What the thread is to do. */
export interface BlockRequest {
  out: string;
  block: SceneBlock;
  subjectSeed: number;
}

/** What it says: after each step its note, then that the block is written, or why not. */
export type BlockAnswer = { note: string } | { error?: string };

/** This thread, as far as it is needed: the types at hand are those of the main one. */
const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<BlockRequest>) => void;
  postMessage(answer: BlockAnswer): void;
};

let subject: ReturnType<typeof createSubject> | undefined;

thread.onmessage = async ({ data: { out, block, subjectSeed } }) => {
  try {
    subject ??= createSubject(subjectSeed);
    await writeSceneBlock(out, block, subject, (note) => thread.postMessage({ note }));
    thread.postMessage({});
  } catch (error) {
    thread.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};
