/** The card of a model on the hub: README.md, which starts with a few facts in YAML between two lines of "---". */

/** More than any card's facts take. */
const MAX_BYTES = 65_536;

/**
 * Reads which license a card names: `license`, or `license_name` where that is "other"; the first where it is a list.
 *
 * @param path README.md
 * @returns undefined where the card names none, or what is no word of letters, digits, ".", "_", "+" and "-"
 */
export async function readLicense(path: string): Promise<string | undefined> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(MAX_BYTES), length = await file.read(bytes) ?? 0;
  const text = new TextDecoder().decode(bytes.subarray(0, length));
  const [, facts] = /^\uFEFF?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$/ms.exec(text) ?? [];
  if (facts === undefined) return undefined;
  const license = valueOf(facts, "license");
  return license === "other" ? valueOf(facts, "license_name") ?? license : license;
}

function valueOf(facts: string, key: string): string | undefined {
  const start = String.raw`(?:\[[ \t]*|\r?\n[ \t]*-[ \t]+)?["']?`; // of a list, of a text in quotes
  const found = new RegExp(String.raw`^${key}:[ \t]*${start}([\w.+-]{1,60})["']?[ \t]*(?:[,\]#]|\r?$)`, "m");
  return found.exec(facts)?.[1];
}
