/** Adapters with smaller limits than the one at hand. */
import type { Gpu } from "../mod.ts";

/** Bytes of one storage binding: less than any adapter, two between, and what the adapter itself allows. */
export const BINDINGS = [2 ** 16, 2 ** 20, 2 ** 24, Infinity];

/** The same device, as if its adapter allowed storage bindings of at most `bindingBytes`. */
export function withBindings(gpu: Gpu, bindingBytes: number): Gpu {
  return { ...gpu, limits: { ...gpu.limits, bindingBytes: Math.min(bindingBytes, gpu.limits.bindingBytes) } };
}
