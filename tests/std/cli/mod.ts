/**
 * The part of `jsr:@std/cli` that this project uses, so that it also installs where jsr.io cannot be reached.
 * @module
 */
export { type Args, parseArgs, type ParseOptions } from "./parse_args.ts";
