import { assertEquals, assertStringIncludes } from "@std/assert";
import { readEmbedding } from "../../../src/data/formats/read_embedding.ts";
import golden from "../../golden/tables.json" with { type: "json" };
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

/** One file of the golden ones, and what is in it. */
interface GoldenFile {
  base64: string;
  error?: string;
  shape?: number[];
  values?: number[];
  names?: string[] | null;
  leftOut?: string[];
  note?: string | null;
}

Deno.test("readEmbedding() reads what pandas, polars, pyarrow, NumPy and safetensors write, or says why not", () =>
  inTemporaryFolder(async (dir) => {
    for (const [file, expected] of Object.entries<GoldenFile>(golden.files)) {
      const path = `${dir}/${file}`;
      await Deno.writeFile(path, Uint8Array.fromBase64(expected.base64));
      const found = await readEmbedding(path).catch((error) => {
        if (!expected.error) throw new Error(`${file}: ${error.message}`);
        assertStringIncludes(error.message, file);
        assertStringIncludes(error.message, expected.error);
      });
      if (!found) continue;
      assertEquals(expected.error, undefined, `${file} was read`);
      const { matrix: { data, rows, cols }, names, notes = [] } = found;
      assertEquals([[rows, cols], [...data]], [expected.shape!, expected.values!], file);
      assertEquals(names ?? null, expected.names, file);
      const leftOut = notes.find((note) => note.startsWith("left out:"));
      for (const one of expected.leftOut!) {
        const [, name, type] = /^(\w+) (.*)$/.exec(one)!;
        assertStringIncludes(leftOut ?? "", `"${name}" ${type}`, file);
      }
      assertEquals(
        (leftOut?.match(/"\w+" \(/g) ?? []).length,
        expected.leftOut!.length,
        `${file}: ${leftOut}`,
      );
      const others = notes.filter((note) => note !== leftOut);
      assertEquals(others.length > 0, expected.note !== null, `${file}: ${others}`);
      assertStringIncludes(others.join(), expected.note ?? "", file);
    }
  }));

Deno.test("readEmbedding() takes the first line as it is told to", () =>
  inTemporaryFolder(async (dir) => {
    const read = async (text: string, header: boolean) => {
      await Deno.writeTextFile(`${dir}/a.csv`, text);
      const { matrix, notes } = await readEmbedding(`${dir}/a.csv`, { header });
      assertEquals(notes, undefined);
      return [...matrix.data];
    };
    assertEquals(await read("0,1\n5,6\n7,8\n", true), [5, 6, 7, 8]);
    assertEquals(await read("0,1\n5,6\n7,8\n", false), [0, 1, 5, 6, 7, 8]);
    assertEquals(await read("2019,2020\n0.5,6\n", false), [2019, 2020, 0.5, 6]);
  }));

Deno.test("readEmbedding() refuses Parquet with several damaged columns in one sentence, and leaves no promise behind", () =>
  inTemporaryFolder(async (dir) => {
    const path = `${dir}/damaged.parquet`, whole = Uint8Array.fromBase64(golden.files["list.parquet"].base64);
    for (let bit = 0; bit < 8; bit++) {
      for (const places of [[115, 846, 282, 255], [674, 847, 44, 49, 898], [296, 641, 167, 150, 567, 1138]]) {
        const bytes = whole.slice();
        for (const at of places) bytes[at] ^= 1 << bit;
        await Deno.writeFile(path, bytes);
        const message = await readEmbedding(path).then(() => path, (error) => String(error.message));
        assertStringIncludes(message, path);
        await new Promise((resolve) => setTimeout(resolve)); // a rejection that nobody holds ends the test here
      }
    }
  }));
