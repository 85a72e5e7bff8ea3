/** Options that are lists of file formats. */

/**
 * Reads the list of an option.
 *
 * @param option for instance `--figures`
 * @param known all formats that there are
 * @param list for instance `svg,png`; undefined for none
 * @returns each format once
 * @throws RangeError '--figures has "pdf": give svg, png or svg,png.'
 */
export function chosenFormats<T extends string>(
  option: string,
  known: readonly T[],
  list: string | undefined,
): T[] {
  if (list === undefined) return [];
  return [
    ...new Set(
      list.split(",").map((text) => {
        const format = known.find((name) => name === text.trim());
        if (format) return format;
        throw new RangeError(
          `${option} has "${text.trim()}": give ${known.join(", ")} or ${known.join(",")}.`,
        );
      }),
    ),
  ];
}
