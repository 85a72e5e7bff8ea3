import { assertEquals, assertRejects } from "@std/assert";
import {
  abandonBeside,
  assertWritable,
  openBeside,
  removeLeftovers,
  writeFileAtomic,
} from "../../../src/data/files/atomic_write.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const namesIn = async (dir: string) =>
  (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name).sort();

Deno.test("writeFileAtomic() replaces text and bytes and leaves nothing beside them", () =>
  inTemporaryFolder(async (dir) => {
    await writeFileAtomic(`${dir}/a.txt`, "a longer first text");
    await writeFileAtomic(`${dir}/a.txt`, "λ₁");
    await writeFileAtomic(`${dir}/b.bin`, Uint8Array.of(0, 255, 13, 10));
    assertEquals(await Deno.readTextFile(`${dir}/a.txt`), "λ₁");
    assertEquals(await Deno.readFile(`${dir}/b.bin`), Uint8Array.of(0, 255, 13, 10));
    assertEquals(await namesIn(dir), ["a.txt", "b.bin"]);
  }));

Deno.test("writeFileAtomic() puts a new file in the old one's place instead of writing into it", () =>
  inTemporaryFolder(async (dir) => {
    await writeFileAtomic(`${dir}/a.txt`, "old");
    using reader = await Deno.open(`${dir}/a.txt`);
    await writeFileAtomic(`${dir}/a.txt`, "new");
    const seen = new Uint8Array(3);
    await reader.read(seen);
    assertEquals(new TextDecoder().decode(seen), "old");
  }));

Deno.test("writeFileAtomic() names the path and removes what it had written when it fails", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.mkdir(`${dir}/taken/inside`, { recursive: true });
    const cases = [["taken", "Is a directory"], ["none/a.txt", "No such file or directory"]];
    for (const [name, reason] of cases) {
      const error = await assertRejects(() => writeFileAtomic(`${dir}/${name}`, "text"), Error);
      assertEquals(error.message, `Cannot write ${dir}/${name}: ${reason}.`);
    }
    assertEquals(await namesIn(dir), ["taken"]);
  }));

Deno.test("assertWritable() makes the folder and leaves it empty", () =>
  inTemporaryFolder(async (dir) => {
    await assertWritable(`${dir}/new/folder`);
    assertEquals(await namesIn(`${dir}/new/folder`), []);
    await assertWritable(`${dir}/new/folder`);
  }));

Deno.test("assertWritable() says why a folder cannot be written and what to do", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/file`, "");
    const error = await assertRejects(() => assertWritable(`${dir}/file/out`), Error);
    assertEquals(
      error.message,
      `Cannot write to ${dir}/file/out: Not a directory; choose another folder with --out.`,
    );
  }));

Deno.test("removeLeftovers() takes what nobody holds, the newest too, and leaves what is written", async () => {
  await inTemporaryFolder(async (dir) => {
    const held = await openBeside(`${dir}/held.json`), old = new Date(Date.now() - 60_000);
    // written to again and again, as by a writer between its opening and its lock
    const busy = `${dir}/busy.json.0123abcd-ef01.tmp`, coming = new Date(Date.now() + 3_600_000);
    await Deno.mkdir(`${dir}/deep`);
    for (
      const name of [
        "deep/left.arrow.0123abcd-ef01.tmp",
        "deep/new.json.0123abcd-ef01.tmp",
        "kept.json",
        "mine.tmp",
        "mine.123.tmp",
        "deno.lock",
        "map-0123456789abcdef.lock",
      ]
    ) {
      await Deno.writeTextFile(`${dir}/${name}`, "x");
      if (!name.includes("new")) await Deno.utime(`${dir}/${name}`, old, old);
    }
    await Deno.writeTextFile(busy, "x");
    await Deno.utime(busy, coming, coming);
    await Deno.utime(held.beside, old, old);
    assertEquals(await removeLeftovers(dir), 3);
    const left = [...Deno.readDirSync(dir)].map(({ name }) => name.replace(/[0-9a-f]{8}-[0-9a-f]{4}/, "ID"))
      .sort();
    assertEquals(left, [
      "busy.json.ID.tmp",
      "deep",
      "deno.lock",
      "held.json.ID.tmp",
      "kept.json",
      "mine.123.tmp",
      "mine.tmp",
    ]);
    assertEquals([...Deno.readDirSync(`${dir}/deep`)], []);
    await abandonBeside(held);
    assertEquals(await removeLeftovers(`${dir}/nowhere`), 0);
  });
});
