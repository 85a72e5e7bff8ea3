export * from "./buffer.ts";
export * from "./device.ts";
export * from "./kernel.ts";
export * from "./smaller_parts.ts";
export * from "./texture.ts";
export * from "./timing.ts";
