/** Pooled features and responses of the synthetic dataset, for the epoch of alignment. */
import { CACHE_FOLDER } from "../../src/data/files/project_folder.ts";
import { openRunData } from "../shared/open_data.ts";
import type { AlignInputs } from "./works/align_epoch.ts";

/** What `./run align` trains on; features that an earlier run has left are read. */
export async function alignInputs(): Promise<AlignInputs> {
  using data = await openRunData({ folders: {}, models: [] }, {
    quick: false,
    limit: 1,
    cache: CACHE_FOLDER,
    timings: {},
  });
  const { slots, training } = await data.readBrain(`${CACHE_FOLDER}/align`, () => {});
  return { slots, pooled: training.pooled, responses: training.responses, tokens: training.tokens };
}
