import { assertEquals } from "@std/assert";
import { finishedPages } from "../../tasks/shared/finished_pages.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

Deno.test("finishedPages() takes pages for finished only as they were made, in their folder, of the same inputs", () =>
  inTemporaryFolder(async (root) => {
    const folders = { cache: `${root}/cache`, out: `${root}/out` };
    for (const folder of [folders.cache, `${folders.out}/specs`]) {
      await Deno.mkdir(folder, { recursive: true });
    }
    await Deno.writeTextFile(`${folders.out}/other.html`, "of another run");
    await Deno.utime(`${folders.out}/other.html`, 0, 0);
    const page = `${folders.out}/index.html`, spec = `${folders.out}/specs/a.json`;
    const made = finishedPages(folders, { seed: 0 });
    assertEquals(await made.areThere(), false, "nothing is noted");
    for (const path of [page, spec]) await Deno.writeTextFile(path, "1");
    await made.note();
    const there = (seed = 0, own = folders) => finishedPages(own, { seed }).areThere();
    assertEquals(await there(), true);
    assertEquals(await there(1), false, "another seed");
    assertEquals(await there(0, { ...folders, out: `${root}/elsewhere` }), false, "another folder");
    await Deno.remove(`${folders.out}/other.html`);
    assertEquals(await there(), true, "a page of another run is not looked at");
    await Deno.writeTextFile(spec, "2");
    assertEquals(await there(), false, "a file of the same size");
    await Deno.writeTextFile(spec, "1");
    assertEquals(await there(), true);
    await Deno.remove(page);
    assertEquals(await there(), false, "a page is missing");
  }));
