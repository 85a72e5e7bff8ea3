/** The affinity does not depend on how the columns' features are laid out. */
export { affinity as affinityTextures } from "./affinity.ts";
