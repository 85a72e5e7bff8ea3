/** Research data that is not shipped: $ALIGNEDCUT_REAL_DATA, else ../shared/real beside the repository. */

/** Full path of a file or folder of it, or undefined where it is absent. */
export function realData(name: string): string | undefined {
  const root = Deno.env.get("ALIGNEDCUT_REAL_DATA") ??
    new URL("../../../shared/real", import.meta.url).pathname;
  try {
    Deno.statSync(`${root}/${name}`);
    return `${root}/${name}`;
  } catch {
    return undefined;
  }
}
