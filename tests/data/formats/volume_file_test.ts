import { assertEquals, assertRejects } from "@std/assert";
import { readMatlab } from "../../../src/data/formats/matlab5.ts";
import { openVolume, readVolume } from "../../../src/data/formats/volume_file.ts";
import golden from "../../golden/volumes.json" with { type: "json" };
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

Deno.test("openVolume() gives nibabel's values of every type and byte order, packed or not, scaled and behind extensions", () =>
  inTemporaryFolder(async (dir) => {
    for (const { name, base64, values } of golden.files) {
      const path = `${dir}/${name}`;
      await Deno.writeFile(path, Uint8Array.fromBase64(base64));
      using file = await openVolume(path);
      const size = name.startsWith("surface") ? [7, 1, 1] : golden.size;
      assertEquals([file.size, file.frames], [size, values.length], name);
      for (const [i, frame] of values.entries()) {
        const wanted = frame.map((value) => value === -999 ? NaN : value);
        const some = Uint32Array.of(5, 0, 3); // in any order
        const found = i === 1 ? [...await file.next(some)] : [...await file.next()];
        assertEquals(found, i === 1 ? [...some].map((at) => wanted[at]) : wanted, `${name}, frame ${i}`);
      }
      await file.finish();
      await assertRejects(() => file.next(), RangeError, `has ${values.length} frames`);
    }
    assertEquals((await readVolume(`${dir}/one_frame.nii`)).values.length, 24);
    await assertRejects(
      () => readVolume(`${dir}/surface.mgh`),
      Error,
      "surface.mgh has 2 frames, expected one.",
    );
  }));

Deno.test("openVolume() says in one sentence what is wrong with a file", () =>
  inTemporaryFolder(async (dir) => {
    const refused = async (name: string, content: Uint8Array, message: string) => {
      await Deno.writeFile(`${dir}/${name}`, content);
      const error = await assertRejects(() => readFrames(`${dir}/${name}`), Error, message);
      assertEquals(
        error.message.startsWith(`${dir}/${name}`) || error.message.includes(`of ${dir}/${name}`),
        true,
      );
    };
    const golden1 = Object.fromEntries(
      golden.files.map(({ name, base64 }) => [name, Uint8Array.fromBase64(base64)]),
    );
    for (const [name, base64] of Object.entries(golden.refused)) {
      const kind = name === "pair.nii"
        ? "expected NIfTI in one file (n+1)"
        : "expected real numbers of at most 64 bits";
      await refused(name, Uint8Array.fromBase64(base64), kind);
    }
    const packed = golden1["Nifti2Image_i2.nii.gz"],
      plain = golden1["Nifti1Image_i2.nii"],
      surface = golden1["mgh_f4.mgz"];
    await refused(
      "cut.nii.gz",
      packed.subarray(0, packed.length - 9),
      "is cut short: its gzip data end too early",
    );
    await refused(
      "cut_tail.nii.gz",
      packed.subarray(0, packed.length - 2),
      "is cut short: its gzip data end too early",
    );
    await refused(
      "cut.nii",
      plain.subarray(0, plain.length - 1),
      "is cut short: 3 frames of 3 × 4 × 2 values need 496 bytes",
    );
    await refused(
      "cut_header.nii",
      plain.subarray(0, 100),
      "is cut short: its header ends beyond it, after 100 bytes",
    );
    await refused("cut.mgz", surface.subarray(0, 100), "is cut short");
    await refused(
      "wrong_byte.nii.gz",
      packed.with(packed.length - 6, packed.at(-6)! ^ 1),
      "is damaged (incorrect data check)",
    );
    await refused("not_packed.nii.gz", plain, "is damaged (incorrect header check)");
    await refused("packed.nii", Uint8Array.of(...packed, ...plain), "is not a NIfTI file");
    await refused("volume.mgh", plain, "is not a MGH file");
    await refused("empty.mgh", new Uint8Array(), "is cut short");
    await refused("extent.nii", plain.with(42, 0), "is damaged: it has 3 frames of 0 × 4 × 2 values");
    await refused("offset.nii", plain.with(111, 0xff), "values would begin at byte");
    await refused("a.txt", plain, "is not a volume: expected .nii, .nii.gz, .mgh or .mgz.");
    await assertRejects(
      () => openVolume(`${dir}/none.nii.gz`),
      Error,
      `There is no file ${dir}/none.nii.gz.`,
    );
  }));

async function readFrames(path: string): Promise<void> {
  using file = await openVolume(path);
  for (let i = 0; i < file.frames; i++) await file.next();
  await file.finish();
}

Deno.test("readMatlab() gives scipy's arrays of every type, and refuses what is none", () =>
  inTemporaryFolder(async (dir) => {
    const path = `${dir}/a.mat`, names = Object.keys(golden.arrays) as (keyof typeof golden.arrays)[];
    for (const base64 of Object.values(golden.matlab)) {
      const bytes = Uint8Array.fromBase64(base64);
      await Deno.writeFile(path, bytes);
      const found = await readMatlab(path, names);
      assertEquals(
        found.map(({ shape, data }) => ({ shape, values: [...data] })),
        names.map((name) => golden.arrays[name]),
      );
      const refused = (name: string, message: string) =>
        assertRejects(() => readMatlab(path, [name]), Error, message);
      await refused(
        "nothing",
        `${path} has no variable nothing (it has text, struct, cell, complex, double,`,
      );
      await refused("text", `text of ${path} is text, expected an array of real numbers.`);
      await refused("struct", "is a struct, expected");
      await refused("cell", "is a cell array, expected");
      await refused("complex", "is complex, expected");
      for (const length of [60, 130, 200, bytes.length - 1]) {
        await Deno.writeFile(path, bytes.subarray(0, length));
        await assertRejects(() => readMatlab(path, ["of_u8"]), Error, path);
      }
    }
    await Deno.writeTextFile(path, "MATLAB 7.3 MAT-file, Platform: GLNXA64".padEnd(200));
    await assertRejects(() => readMatlab(path, ["a"]), Error, "is a MATLAB 7.3 file, expected MATLAB 5");
    await Deno.writeTextFile(path, "x".repeat(200));
    await assertRejects(
      () => readMatlab(path, ["a"]),
      Error,
      "is not a MATLAB 5 file, whatever its name says",
    );
  }));
