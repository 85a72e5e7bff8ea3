/** Values of voxels on a cortex, for scripts. */

/** One value per voxel, in the order of `readBrainSubject`; NaN where there is none to draw. */
export interface CortexMap {
  /** Above it. */
  title: string;
  /** One per voxel. */
  values: ArrayLike<number>;
}

/** Maps side by side. */
const ROW = 3;

/**
 * Draws maps of voxels with the outlines and names of regions, all on one color scale (blue below 0, orange above), which is shown
 * below them: on the flat map of fsaverage5 if the subject's files name the vertices of its voxels, as in Algonauts 2023,
 * else at the positions that the files give, else region by region.
 *
 * @param source the subject, as of `readBrainSubject`
 * @param maps at least one; three in a row
 * @param unit of the values
 * @returns SVG in light colors
 * @throws RangeError 'The map "r" has 3 values, expected one for each of 9 voxels: …'; 'The map "r" holds Infinity …'
 *
 * @example
 * ```ts ignore
 * import * as ac from "@alignedcut/alignedcut";
 * const { vertices } = await ac.readBrainSubject("subj01");
 * const svg = await ac.cortexSvg("subj01", [{ title: "vertex", values: vertices }], "index");
 * await Deno.writeTextFile("cortex.svg", svg);
 * ```
 */
export async function cortexSvg(source: string, maps: readonly CortexMap[], unit: string): Promise<string> {
  const { openSubject } = await import("./open_subject.ts");
  const { activationSheets } = await import("../experiments/shared/activation_sheets.ts");
  const { voxelSheet } = await import("../pipeline/voxel_sheet.ts");
  const { standaloneSvg } = await import("../report/standalone_svg.ts");
  const { lightTheme } = await import("../report/theme.ts");
  const { subject, close } = await openSubject(source, "training"), { total } = subject.voxels;
  close();
  if (maps.length === 0) throw new RangeError("There is no map to draw: give at least one.");
  for (const { title, values } of maps) {
    if (values.length !== total) {
      throw new RangeError(
        `The map "${title}" has ${values.length} values, expected one for each of ${total} voxels: take those of readBrainSubject.`,
      );
    }
    const wrong = Array.from(values).find((value) => Math.abs(value) === Infinity);
    if (wrong !== undefined) {
      throw new RangeError(`The map "${title}" holds ${wrong}: give NaN where there is nothing to draw.`);
    }
  }
  const rows = Array.from(
    { length: Math.ceil(maps.length / ROW) },
    (_, row) => maps.slice(ROW * row, ROW * row + ROW),
  );
  return standaloneSvg(activationSheets(await voxelSheet(subject), rows, unit), lightTheme);
}
