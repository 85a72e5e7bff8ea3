/** Where the package's own files are, and where it writes what it can make again. */
import { join } from "node:path";

/**
 * The package's folder, with "/" at the end: the checkout, or where a package manager has put it; "" where it comes from a
 * registry and has none.
 */
export const PROJECT_FOLDER: string = import.meta.url.startsWith("file:")
  ? decodeURIComponent(new URL("../../../", import.meta.url).pathname)
  : "";

/**
 * The folder of everything that can be made again: `.cache` of the checkout. A package manager may empty `node_modules`
 * at any time, so of a package in there it is `$XDG_CACHE_HOME/alignedcut`, or `~/.cache/alignedcut`.
 *
 * @param project the package's folder, as `PROJECT_FOLDER`
 * @param env environment variables by name
 */
export function cacheFolder(project: string, env: (name: string) => string | undefined): string {
  if (!project.includes("/node_modules/")) return join(project, ".cache");
  const caches = env("XDG_CACHE_HOME"), home = env("HOME") ?? env("USERPROFILE") ?? ".";
  return join(caches?.startsWith("/") ? caches : join(home, ".cache"), "alignedcut");
}

/** `cacheFolder` of this package. */
export const CACHE_FOLDER: string = cacheFolder(PROJECT_FOLDER, (name) => Deno.env.get(name));
