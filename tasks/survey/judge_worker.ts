/**
 * Judges cuts in a thread of its own: what V8 learns from the float64 reference about the functions that both use made the
 * measured solver two to three times slower in one thread with it.
 */
import type { NormalizedCut } from "../../src/graph/normalized_cut.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { judge } from "./truth.ts";

const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<{ x: Matrix; cut: NormalizedCut }>) => void;
  postMessage(answer: ReturnType<typeof judge>): void;
};

thread.onmessage = ({ data: { x, cut } }) => thread.postMessage(judge(x, cut));
