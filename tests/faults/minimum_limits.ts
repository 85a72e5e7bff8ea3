/** A device as on an adapter that offers no more than WebGPU promises everywhere. */
import { type Gpu, openGpu } from "../../src/gpu/mod.ts";

/** Opens it; without limits asked for, a device has the least that there may be. */
export async function openMinimum(): Promise<Gpu> {
  const original = navigator.gpu.requestAdapter;
  navigator.gpu.requestAdapter = async (options) => {
    const adapter = await original.call(navigator.gpu, options);
    if (!adapter) return null;
    return {
      info: adapter.info,
      features: new Set(),
      limits: {},
      requestDevice: () => adapter.requestDevice(),
    } as unknown as GPUAdapter;
  };
  try {
    return await openGpu();
  } finally {
    navigator.gpu.requestAdapter = original;
  }
}
