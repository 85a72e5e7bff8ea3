import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  encodeNpyHeader,
  parseNpy,
  readNpy,
  readNpyHeader,
  writeNpy,
} from "../../../src/data/formats/npy.ts";
import { readMatrix } from "../../../src/data/formats/number_array.ts";
import { listNpz, readNpz } from "../../../src/data/formats/npz.ts";
import golden from "../../golden/arrays.json" with { type: "json" };
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { randomMatrix } from "../../support/random.ts";
import { realData } from "../../support/real_data.ts";
import { readNpyRows } from "../../../src/data/formats/npy_rows.ts";

/** A file as NumPy writes it: any header text, version and values. */
function npyFile(header: string, values: Uint8Array, version = 1): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const size = version === 1 ? 2 : 4;
  const file = new Uint8Array(8 + size + text.length + values.length);
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  new DataView(file.buffer).setUint16(8, text.length, true);
  file.set(text, 8 + size);
  file.set(values, 8 + size + text.length);
  return file;
}

const dictionary = (descr: string, shape: string, order = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`;

Deno.test("encodeNpyHeader gives NumPy's bytes", () => {
  const header = String.fromCharCode(...encodeNpyHeader("<f4", [3, 4]));
  const text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }";
  assertEquals(header, `\x93NUMPY\x01\x00v\x00${text.padEnd(117)}\n`);
  assertEquals(encodeNpyHeader("<i4", [5]).length, 128);
});

Deno.test("readNpy gives back what writeNpy was given, of every type", () =>
  inTemporaryFolder(async (dir) => {
    const { data } = randomMatrix(6, 4);
    const arrays = [data, Int32Array.from(data, (v) => v * 1e6), Uint8Array.from(data, (v) => v * 1e3)];
    for (const [i, values] of arrays.entries()) {
      await writeNpy(`${dir}/${i}.npy`, values, [2, 3, 4]);
      assertEquals(await readNpy(`${dir}/${i}.npy`), { data: values, shape: [2, 3, 4] });
    }
    await assertRejects(
      () => writeNpy(`${dir}/odd.npy`, data, [5, 5]),
      RangeError,
      "An array of shape (5, 5) has 25 values, found 24.",
    );
  }));

Deno.test("parseNpy reads every type, version and alignment", () => {
  const bytes = (array: ArrayBufferView) => new Uint8Array(array.buffer.slice(0) as ArrayBuffer);
  const cases: [string, ArrayBufferView & { length: number }][] = [
    ["<f2", Float16Array.of(0.5, -2)],
    ["<f8", Float64Array.of(0.1, -1e300)],
    ["|i1", Int8Array.of(-1, 7)],
    ["<i2", Int16Array.of(-300, 7)],
    ["<i8", BigInt64Array.of(-1n, 2n ** 40n)],
    ["|u1", Uint8Array.of(0, 255)],
    ["<u2", Uint16Array.of(0, 65535)],
    ["<u4", Uint32Array.of(0, 4294967295)],
    ["<u8", BigUint64Array.of(0n, 2n ** 63n)],
    ["|b1", Uint8Array.of(0, 1)],
  ];
  for (const [descr, array] of cases) {
    for (const version of [1, 2, 3]) {
      for (const pad of [0, 1]) { // an odd header length leaves the values unaligned
        const file = npyFile(dictionary(descr, "(2,)") + " ".repeat(pad), bytes(array), version);
        assertEquals(parseNpy(file, "a.npy").data as unknown, array, `${descr} version ${version}`);
      }
    }
  }
  assertEquals(parseNpy(npyFile(dictionary("<f4", "()"), new Uint8Array(4)), "a.npy").shape, []);
  assertEquals(parseNpy(npyFile(dictionary("<f4", "(0, 4)"), new Uint8Array()), "a.npy").data.length, 0);
});

Deno.test("parseNpy puts Fortran order in C order", () => {
  const values = Uint8Array.from({ length: 24 }, (_, i) => i);
  const { data, shape } = parseNpy(npyFile(dictionary("|u1", "(2, 3, 4)", "True"), values), "a.npy");
  const at = (i: number, j: number, k: number) => data[(i * shape[1] + j) * shape[2] + k];
  for (let k = 0, value = 0; k < 4; k++) {
    for (let j = 0; j < 3; j++) for (let i = 0; i < 2; i++) assertEquals(Number(at(i, j, k)), value++);
  }
});

Deno.test("parseNpy says in one sentence what is wrong with a file", () => {
  const values = new Uint8Array(24);
  const cases: [Uint8Array<ArrayBuffer>, string][] = [
    [new Uint8Array(), "a.npy is not a .npy file"],
    [new TextEncoder().encode("PK\x03\x04 an archive"), "a.npy is not a .npy file"],
    [npyFile(dictionary("<f4", "(7,)"), values), "a.npy is cut short: shape (7) needs"],
    [npyFile(dictionary("<c8", "(3,)"), values), 'a.npy holds values of type "<c8"'],
    [npyFile(dictionary("<M8[ns]", "(3,)"), values), 'a.npy holds values of type "<M8[ns]"'],
    [npyFile(dictionary("|O", "(3,)"), values), "a.npy holds Python objects"],
    [npyFile(dictionary("<U3", "(2,)"), values), 'a.npy holds values of type "<U3"'],
    [npyFile("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", values), "named fields"],
    [npyFile("{'descr': '<f4', 'shape': (6,), }", values), "The header of a.npy is damaged"],
    [npyFile(dictionary("<f4", "(-1,)"), values), "The header of a.npy is damaged"],
    [npyFile(dictionary("<f4", "(99999999999, 99999999999)"), values), "The header of a.npy is damaged"],
    [npyFile(dictionary("<f4", "(6,)"), values).subarray(0, 30), "The header of a.npy is damaged"],
    [npyFile(dictionary("<f4", "(6,)"), values, 9), "a .npy file of version 9"],
  ];
  for (const [file, sentence] of cases) assertThrows(() => parseNpy(file, "a.npy"), Error, sentence);
  const long = npyFile(dictionary("<f4", "(6,)"), values, 2);
  new DataView(long.buffer).setUint32(8, 0xffffffff, true);
  assertThrows(() => parseNpy(long, "a.npy"), Error, "it would be 4294967295 bytes long");
});

Deno.test("readNpyRows gives the rows asked for, without the others", () =>
  inTemporaryFolder(async (dir) => {
    const path = `${dir}/a.npy`, { data } = randomMatrix(10, 3);
    await writeNpy(path, data, [10, 3]);
    const header = await readNpyHeader(path);
    assertEquals(await readNpyRows(path, header, 4, 3), data.slice(12, 21));
    assertEquals(await readNpyRows(path, header, 0, 10), data);
    await assertRejects(
      () => readNpyRows(path, header, 8, 3),
      RangeError,
      "has 10 rows: rows 8 to 10 were asked for.",
    );
    await Deno.truncate(path, 200);
    await assertRejects(() => readNpyHeader(path), Error, "is cut short");
    await assertRejects(() => readNpyRows(path, header, 5, 3), Error, "is cut short");
    await assertRejects(() => readNpyHeader(`${dir}/none.npy`), Error, "There is no file");
  }));

Deno.test("arrays that NumPy writes are read with its values, whole and by rows, of every type, order and archive", () =>
  inTemporaryFolder(async (dir) => {
    for (const [name, { base64, shape, values }] of Object.entries(golden.files)) {
      const path = `${dir}/${name.endsWith(".npz") ? name : "a.npy"}`;
      await Deno.writeFile(path, Uint8Array.fromBase64(base64));
      const array = await (name.endsWith(".npz") ? readNpz(path) : readNpy(path));
      assertEquals(array.shape, shape, name);
      assertEquals(Array.from(array.data, Number), values, name);
      if (name.endsWith(".npz") || shape.length !== 2) continue;
      const header = await readNpyHeader(path), cols = shape[1];
      assertEquals(
        await readNpyRows(path, header, 1, 2),
        Float32Array.from(values.slice(cols, 3 * cols)),
        name,
      );
    }
  }));

Deno.test("readNpz() says what is wrong with an archive, whichever byte is damaged", () =>
  inTemporaryFolder(async (dir) => {
    const path = `${dir}/a.npz`, bytes = Uint8Array.fromBase64(golden.files["deflated.npz"].base64);
    const wanted = golden.files["deflated.npz"].values;
    const refused = async (damaged: Uint8Array, sentence: string) => {
      await Deno.writeFile(path, damaged);
      await assertRejects(() => readNpz(path), Error, sentence);
    };
    const [member] = await (await Deno.writeFile(path, bytes), listNpz(path));
    const at = member.at + 30 + "x.npy".length + 20; // ZIP64's sizes behind the name
    for (let byte = at; byte < at + member.packed; byte += 7) {
      await refused(bytes.with(byte, bytes[byte] ^ 4), "a.npz is damaged");
    }
    for (let byte = 0; byte < bytes.length; byte++) { // a date, a version or a flag may be anything
      await Deno.writeFile(path, bytes.with(byte, bytes[byte] ^ 0x21));
      const values = await readNpz(path).then(({ data }) => Array.from(data, Number), (error) => {
        assertStringIncludes(error.message, "a.npz");
        return wanted;
      });
      assertEquals(values, wanted, `byte ${byte}`);
    }
    await refused(bytes.subarray(0, bytes.length - 30), "a.npz is not a .npz file, or is cut short");
    await refused(new TextEncoder().encode("nonsense"), "a.npz is not a .npz file, or is cut short");
    await refused(
      Uint8Array.fromBase64(golden.files["several.npz"].base64),
      'a.npz holds the arrays "other", "several": save one of them alone',
    );
  }));

const betas = realData("object2vec81");

Deno.test({
  name: "readNpy reads the files of object2vec81",
  ignore: betas === undefined,
  fn: async () => {
    const shapes = { betas: [81, 696], alexnet: [81, 20], word2vec: [81, 30], roi_index: [696] };
    for (const [name, shape] of Object.entries(shapes)) {
      const array = await readNpy(`${betas}/${name}.npy`);
      assertEquals(array.shape, shape, name);
      assertEquals(Array.from(array.data, Number).every(Number.isFinite), true, name);
    }
    const { data } = await readNpy(`${betas}/roi_index.npy`);
    assertEquals(new Set(Array.from(data, Number)), new Set([1, 2, 3, 4, 5, 6, 7]));
    const header = await readNpyHeader(`${betas}/betas.npy`);
    const rows = await readNpyRows(`${betas}/betas.npy`, header, 3, 2),
      whole = await readNpy(`${betas}/betas.npy`);
    assertEquals(rows, Float32Array.from(whole.data.slice(3 * 696, 5 * 696) as Float64Array));
  },
});

Deno.test("writeNpy() writes every type that readNpy() returns, under NumPy's name, and nothing else", async () => {
  const files: [descr: string, values: Parameters<typeof writeNpy>[1]][] = [
    ["<f2", Float16Array.of(-1.5, 2, 300)],
    ["<f4", Float32Array.of(-1.5, 2, 300)],
    ["<f8", Float64Array.of(-1.5, 2, 300)],
    ["|i1", Int8Array.of(-1, 2, 100)],
    ["<i2", Int16Array.of(-1, 2, 300)],
    ["<i4", Int32Array.of(-1, 2, 70000)],
    ["<i8", BigInt64Array.of(-1n, 2n, 2n ** 60n)],
    ["|u1", Uint8Array.of(1, 2, 200)],
    ["<u2", Uint16Array.of(1, 2, 60000)],
    ["<u4", Uint32Array.of(1, 2, 4e9)],
    ["<u8", BigUint64Array.of(1n, 2n, 2n ** 63n)],
  ];
  await inTemporaryFolder(async (dir) => {
    const path = `${dir}/a.npy`;
    for (const [descr, values] of files) {
      await writeNpy(path, values, [3]);
      assertEquals((await readNpyHeader(path)).descr, descr);
      assertEquals((await readNpy(path)).data, values);
    }
    for (const wrong of [[1, 2, 3], Uint8ClampedArray.of(1, 2, 3)]) {
      await assertRejects(
        () => writeNpy(path, wrong as unknown as Float32Array, [3]),
        TypeError,
        "a.npy takes a typed array of numbers, found",
      );
    }
  });
});

Deno.test("readMatrix() takes a matrix of any shape where none is asked for", async () => {
  await inTemporaryFolder(async (dir) => {
    await writeNpy(`${dir}/a.npy`, Int16Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    assertEquals(await readMatrix(`${dir}/a.npy`), {
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
      rows: 2,
      cols: 3,
    });
  });
});
