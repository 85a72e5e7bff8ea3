/**
 * AlignedCut for Deno: normalised cuts of vision-transformer features, computed in WGSL on WebGPU.
 *
 * The exports are in the order of the layers. What scripts of one file use is here too; `@alignedcut/alignedcut/script` is that
 * part alone, `@alignedcut/alignedcut/data` reads files of other programs and data sets, and
 * `@alignedcut/alignedcut/report` draws charts and writes pages.
 *
 * @module
 */

// What computes.
export * from "./browser.ts";

// What scripts use.
export * from "./src/scripting/mod.ts";
