import { assertEquals, assertRejects } from "@std/assert";
import { readImage } from "../../../src/data/images/image.ts";
import { readPlainFile, readPlainText } from "../../../src/data/files/plain_file.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

Deno.test("readPlainFile() reads files and links to them, no devices, and no more than it may", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.txt`, "text");
    await Deno.symlink("a.txt", `${dir}/link`);
    await Deno.symlink("/dev/zero", `${dir}/zero.png`);
    assertEquals(await readPlainText(`${dir}/link`), "text");
    assertEquals((await readPlainFile(`${dir}/a.txt`, 4)).length, 4);
    await assertRejects(() => readPlainFile(`${dir}/zero.png`), Error, "it is not a plain file");
    await assertRejects(() => readPlainFile(`${dir}/a.txt`, 3), Error, "it has 1 MB, at most 1 MB are read");
    await assertRejects(
      () => readImage(`${dir}/zero.png`),
      Error,
      `Cannot read the image ${dir}/zero.png: it is not a plain file.`,
    );
    await Deno.truncate(`${dir}/a.txt`, 70e6);
    await assertRejects(() => readPlainText(`${dir}/a.txt`), Error, "it has 70 MB, at most 68 MB are read");
  }));
