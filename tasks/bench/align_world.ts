/** Pooled features and responses of the embedded world, for the epoch of align. */
import { openRunData } from "../open_data.ts";
import type { AlignInputs } from "./works/align_epoch.ts";

const CACHE = new URL("../../.cache/align", import.meta.url).pathname;

/** What `deno task align` trains on; features that an earlier run has left are read. */
export async function alignWorld(): Promise<AlignInputs> {
  const data = await openRunData({ folders: {}, models: [] }, { quick: false, limit: 1, timings: {} });
  try {
    const { slots, training } = await data.readBrain(CACHE, () => {});
    return { slots, pooled: training.pooled, responses: training.responses, tokens: training.tokens };
  } finally {
    data.close();
  }
}
