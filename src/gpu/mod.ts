export * from "./buffer.ts";
export * from "./device.ts";
export * from "./kernel.ts";
export * from "./timing.ts";
