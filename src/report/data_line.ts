/** The line below a page's question: what its numbers come from, each real or synthetic. */

/** One thing that numbers of a page come from. */
export interface DataPart {
  /** In words, in lower case, without full stop. */
  what: string;
  /**
   * `synthetic` for what was rendered, simulated or trained on that; `real` for what was not made here; `as given` for models
   * of which only the file is known.
   */
  kind: "real" | "synthetic" | "as given";
}

/**
 * The line.
 *
 * @param parts what the run used, in order; equal kinds beside each other are named once
 * @returns for instance "photographs of voc VOC2012 (real); responses of a simulated subject (synthetic)."
 */
export function dataLine(parts: readonly DataPart[]): string {
  const groups: { kind: string; what: string[] }[] = [];
  for (const { what, kind } of parts) {
    const last = groups.at(-1);
    if (last?.kind === kind) last.what.push(what);
    else groups.push({ kind, what: [what] });
  }
  return groups.map(({ kind, what }) => `${what.join(", ")} (${kind})`).join("; ") + ".";
}
