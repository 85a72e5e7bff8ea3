import { assertEquals } from "@std/assert";
import { earlierFiles } from "../../tasks/shared/earlier_files.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

Deno.test("earlierFiles() names figures, charts and tables that a run has not written, of its pages alone", () =>
  inTemporaryFolder(async (out) => {
    const began = Date.now(), old = new Date(began - 60_000);
    const write = async (path: string, time?: Date) => {
      await Deno.writeTextFile(`${out}/${path}`, "");
      if (time) await Deno.utime(`${out}/${path}`, time, time);
    };
    assertEquals(await earlierFiles(`${out}/none`, ["colors"], began), undefined);
    for (const folder of ["figures", "tables"]) await Deno.mkdir(`${out}/${folder}`);
    await write("figures/colors-map.svg");
    await write("colors-eigenvalues.vl.json");
    for (const path of ["figures/nystrom-1.svg", "tables/voxels.csv", "colors.html"]) await write(path, old);
    assertEquals(await earlierFiles(out, ["colors"], began), undefined);
    const advice =
      "not of the pages as they are now: write them anew by the options that made them, or remove them";
    await write("tables/nodes.csv", old);
    assertEquals(
      await earlierFiles(out, ["colors"], began),
      `tables/nodes.csv in ${out} is of an earlier run, ${advice}`,
    );
    await write("figures/colors-map.png", old);
    await write("colors-figure-ground.vl.json", old);
    assertEquals(
      await earlierFiles(out, ["colors"], began),
      `colors-figure-ground.vl.json and 2 more in ${out} are of an earlier run, ${advice}`,
    );
  }));
