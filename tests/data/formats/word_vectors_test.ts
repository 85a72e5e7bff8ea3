import { assertEquals, assertRejects } from "@std/assert";
import { readEmbedding } from "../../../src/data/formats/read_embedding.ts";
import { writeNpy } from "../../../src/data/formats/npy.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const WORDS = ["the", ",", '"', "and", "1990", "#tag", "1.5", "'s"];
const NOTE = ["read as word vectors: a word and its numbers a line"];

Deno.test("readEmbedding() reads word2vec's and GloVe's text, whatever signs are words", () =>
  inTemporaryFolder(async (dir) => {
    const lines = WORDS.map((word, i) => `${word} ${i}.25 -${i}e-2 ${i}`), path = `${dir}/words.txt`;
    const expected = Float32Array.from(WORDS.flatMap((_, i) => [i + 0.25, -i / 100, i]));
    for (const text of [lines.join("\n") + "\n", `8 3\n${lines.map((line) => `${line} `).join("\n")}\n`]) {
      await Deno.writeTextFile(path, text);
      const { matrix, names, notes } = await readEmbedding(path);
      assertEquals([matrix.rows, matrix.cols, matrix.data.map(Math.fround)], [8, 3, expected]);
      assertEquals([names, notes], [WORDS, NOTE]);
    }
    await Deno.writeTextFile(path, `9 3\n${lines.join("\n")}\n`);
    await assertRejects(() => readEmbedding(path), Error, "words.txt");
    await Deno.writeTextFile(path, `8 3\n${lines.with(4, "1990 4.25 -4e-2").join("\n")}\n`);
    await assertRejects(() => readEmbedding(path), Error, "words.txt");
  }));

Deno.test("readEmbedding() counts numbers that float32 turns into others", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.writeTextFile(`${dir}/a.csv`, "x,y\n1e-50,16777217\n0.1,16777216\n");
    const notes = [
      "too small for float32, and read as 0: 1 values",
      "whole numbers above 16777216, which float32 rounds: 1 values",
    ];
    assertEquals((await readEmbedding(`${dir}/a.csv`)).notes, notes);
    await writeNpy(`${dir}/a.npy`, Float64Array.of(1e-50, 16777217, 0.1, 0), [2, 2]);
    assertEquals((await readEmbedding(`${dir}/a.npy`)).notes, notes);
    await writeNpy(`${dir}/a.npy`, BigInt64Array.of(1n, 2n, 3n, 2n ** 40n), [2, 2]);
    assertEquals((await readEmbedding(`${dir}/a.npy`)).notes, undefined);
  }));
