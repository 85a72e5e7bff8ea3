/** The same for every K. */
export { topK as topKShort } from "./top_k.ts";
