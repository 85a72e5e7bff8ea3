/** Adapters with smaller limits than the one at hand. */
import type { Gpu } from "../../mod.ts";

/** Bytes of one storage binding: less than any adapter, two between, and what the adapter itself allows. */
export const BINDINGS = [2 ** 16, 2 ** 20, 2 ** 24, Infinity];

/** The same device, as if its adapter allowed storage bindings of at most `bindingBytes`. */
export function withBindings(gpu: Gpu, bindingBytes: number): Gpu {
  return { ...gpu, limits: { ...gpu.limits, bindingBytes: Math.min(bindingBytes, gpu.limits.bindingBytes) } };
}

/** The same device, as if it had no memory for a buffer of more than `bytes`. */
export function withMemory(gpu: Gpu, bytes: number): Gpu {
  const { device } = gpu;
  let pops = -1; // scopes closed since a buffer was refused: internal, out of memory, validation
  const changed: Partial<Record<keyof GPUDevice, unknown>> = {
    createBuffer(descriptor: GPUBufferDescriptor) {
      if (descriptor.size <= bytes) return device.createBuffer(descriptor);
      pops = 0;
      const refused = device.createBuffer(descriptor);
      refused.destroy(); // as useless as one that was refused
      return refused;
    },
    async popErrorScope() {
      const isRefusal = pops >= 0 && pops++ === 1, found = device.popErrorScope();
      return isRefusal ? (await found, { message: "no memory" }) : await found;
    },
  };
  return {
    ...gpu,
    device: new Proxy(device, { get: (own, key) => changed[key as keyof GPUDevice] ?? bound(own, key) }),
  };
}

function bound(own: object, key: PropertyKey): unknown {
  const value = Reflect.get(own, key);
  return typeof value === "function" ? value.bind(own) : value;
}
