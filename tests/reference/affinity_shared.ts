/** The affinity does not depend on where its blocks are kept. */
export { affinity as affinityShared } from "./affinity.ts";
