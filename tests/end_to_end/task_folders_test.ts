import { assertEquals, assertRejects } from "@std/assert";
import { openFolders } from "../../tasks/shared/task_folders.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

Deno.test("openFolders() removes what killed runs have left, but not within a job of Slurm", async () => {
  await inTemporaryFolder(async (dir) => {
    const left = `${dir}/cache/map.json.0123abcd-ef01.tmp`, old = new Date(Date.now() - 3_600_000);
    await Deno.mkdir(`${dir}/cache`);
    await Deno.writeTextFile(left, "half");
    await Deno.utime(left, old, old);
    const folders = { "--out": `${dir}/out`, "--cache": `${dir}/cache` };
    Deno.env.set("SLURM_JOB_ID", "7");
    try {
      await openFolders(folders);
    } finally {
      Deno.env.delete("SLURM_JOB_ID");
    }
    assertEquals(await Deno.readTextFile(left), "half");
    await openFolders(folders);
    await assertRejects(() => Deno.stat(left), Deno.errors.NotFound);
    await Deno.writeTextFile(`${dir}/file`, "");
    await assertRejects(
      () => openFolders({ "--cache": `${dir}/file` }),
      Error,
      "choose another folder with --cache.",
    );
  });
});
