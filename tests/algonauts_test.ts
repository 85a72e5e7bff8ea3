import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  imageFolder,
  openAlgonauts,
  writeAlgonautsResponses,
  writeAlgonautsRois,
} from "../src/data/algonauts.ts";
import { readBrainSubject } from "../src/scripting/brain_subject.ts";
import { encodeNpyHeader, writeNpy } from "../src/data/npy.ts";
import { encodePickledMapping, parsePickledMapping } from "../src/data/pickled_mapping.ts";
import { encodePalettePng } from "../src/data/palette_png.ts";
import { inTemporaryFolder } from "./in_temporary_folder.ts";
import { randomMatrix } from "./random.ts";

const IMAGES = 7, LH = 5, RH = 4;
const NAMES = { lh: ["V1v", "", "FFA-1", "V1d", "hV4"], rh: ["FFA-2", "V1v", "", "EBA"] };

/** Writes a small subject and returns its responses. */
async function writeSubject(dir: string): Promise<{ lh: Float32Array; rh: Float32Array }> {
  await Deno.mkdir(imageFolder(dir, "training"), { recursive: true });
  const png = encodePalettePng({ width: 1, height: 1, data: new Uint8Array(1) });
  for (let i = 0; i < IMAGES; i++) {
    await Deno.writeFile(`${imageFolder(dir, "training")}/train-000${i}.png`, png);
  }
  const lh = randomMatrix(IMAGES, LH, 1).data, rh = randomMatrix(IMAGES, RH, 2).data;
  await writeAlgonautsResponses(dir, "training", { hemisphere: "lh", data: lh, rows: IMAGES });
  await writeAlgonautsResponses(dir, "training", { hemisphere: "rh", data: rh, rows: IMAGES });
  await writeAlgonautsRois(dir, NAMES);
  return { lh, rh };
}

Deno.test("openAlgonauts joins hemispheres, rows and ROIs", () =>
  inTemporaryFolder(async (dir) => {
    const { lh, rh } = await writeSubject(dir);
    const subject = await openAlgonauts(dir);
    assertEquals(subject.images.length, IMAGES);
    assertEquals(subject.voxels, { lh: LH, rh: RH, total: LH + RH });
    const roi = (name: string) => [...subject.rois.get(name) ?? []];
    assertEquals([roi("V1v"), roi("V1d"), roi("V1")], [[0, 6], [3], [0, 3, 6]]);
    assertEquals([roi("FFA-1"), roi("FFA"), roi("V4"), roi("EBA")], [[2], [2, 5], [4], [8]]);
    assertEquals([roi("OFA"), subject.rois.has("PPA"), subject.rois.has("VWFA")], [[], false, false]);
    const { data, rows, cols } = await subject.readResponses(3, 2);
    assertEquals([rows, cols], [2, LH + RH]);
    assertEquals(data.slice(0, 9), Float32Array.of(...lh.slice(15, 20), ...rh.slice(12, 16)));
    assertEquals(data.slice(9), Float32Array.of(...lh.slice(20, 25), ...rh.slice(16, 20)));
    await assertRejects(() => subject.readResponses(6, 2), RangeError, "has 7 rows: rows 6 to 7");
  }));

Deno.test("readBrainSubject() reads as many photographs as asked for, with their responses", () =>
  inTemporaryFolder(async (dir) => {
    const { lh } = await writeSubject(dir);
    const { photographs, responses } = await readBrainSubject(dir, "training", 3);
    assertEquals([photographs.length, responses.rows], [3, 3]);
    assertEquals(responses.data[2 * (LH + RH) + 4], lh[2 * LH + 4]);
    assertEquals((await readBrainSubject(dir)).photographs.length, IMAGES);
  }));

Deno.test("openAlgonauts says in one sentence what is wrong with a folder", () =>
  inTemporaryFolder(async (dir) => {
    await assertRejects(() => openAlgonauts(dir), Error, "There is no folder");
    await writeSubject(dir);
    const masks = `${dir}/roi_masks`, lhMask = `${masks}/lh.prf-visualrois_challenge_space.npy`;
    await writeNpy(lhMask, Int32Array.of(1, 0, 0, 9, 0), [5]);
    await assertRejects(() => openAlgonauts(dir), Error, "labels vertex 3 with 9");
    await writeNpy(lhMask, Int32Array.of(1, 0), [2]);
    await assertRejects(() => openAlgonauts(dir), Error, "has shape (2), the responses 5 vertices");
    await Deno.remove(lhMask);
    await assertRejects(() => openAlgonauts(dir), Error, "There is no file");
    const responses = `${dir}/training_split/training_fmri/rh_training_fmri.npy`;
    await Deno.truncate(responses, 200);
    await assertRejects(() => openAlgonauts(dir), Error, "rh_training_fmri.npy is cut short");
    await writeNpy(responses, new Int32Array(IMAGES), [IMAGES, 1]);
    await assertRejects(() => openAlgonauts(dir), Error, "expected images × vertices of type <f4");
    await writeNpy(responses, new Float32Array(6), [6, 1]);
    await assertRejects(() => openAlgonauts(dir), Error, "has 7 images");
    await assertRejects(
      () => writeAlgonautsRois(dir, { lh: ["V9"], rh: [] }),
      RangeError,
      "No ROI class has V9",
    );
  }));

/** What NumPy 2 writes for {0: "Unknown", 7: "V1v", 300: the same string}, pickle protocol 4, after the header. */
const NUMPY_2 = [
  "800495a3000000000000008c166e756d70792e5f636f72652e6d756c74696172726179948c0c5f7265636f6e73",
  "74727563749493948c056e756d7079948c076e6461727261799493944b0085944301629487945294284b012968",
  "038c0564747970659493948c024f3894898887945294284b038c017c944e4e4e4affffffff4affffffff4b3f74",
  "9462895d947d94284b008c07556e6b6e6f776e944b078c03563176944d2c01681475617494622e",
].join("");

Deno.test("parsePickledMapping reads what NumPy writes and what encodePickledMapping writes", () => {
  const header = encodeNpyHeader("|O", []);
  const pickle = Uint8Array.fromHex(NUMPY_2);
  const file = Uint8Array.of(...header, ...pickle);
  const mapping = new Map([[0, "Unknown"], [7, "V1v"], [300, "V1v"]]);
  assertEquals(parsePickledMapping(file, "a.npy"), mapping);
  for (const names of [["Unknown"], ["Unknown", "V1v", "vœu 語"]]) {
    const written = new Map(names.map((name, i) => [i, name]));
    assertEquals(parsePickledMapping(Uint8Array.from(encodePickledMapping(written)), "a.npy"), written);
  }
});

Deno.test("parsePickledMapping follows no call and says what is wrong", () => {
  const header = encodeNpyHeader("|O", []);
  const refuses = (pickle: string | Uint8Array, sentence: string) => {
    const bytes = typeof pickle === "string" ? new TextEncoder().encode(pickle) : pickle;
    assertThrows(() => parsePickledMapping(Uint8Array.of(...header, ...bytes), "a.npy"), Error, sentence);
  };
  refuses("cos\nsystem\n(S'true'\ntR.", "the pickle has the instruction 0x53, which is not followed");
  refuses("cos\nsystem\n)R.", "the pickle is something else");
  refuses("}.", "the pickle is something else");
  refuses("u.", "takes more than it has put");
  refuses("h\x07.", "recalls entry 7");
  refuses(Uint8Array.of(0x42, 0xff, 0xff, 0xff, 0xff), "the pickle is cut short");
  // Tuples of the same tuple twice, 40 deep, as the name of ROI 1, and as the name of what is called.
  const nest = [
    0x4b,
    1,
    0x71,
    0,
    ...Array.from({ length: 40 }, (_, i) => [0x68, i, 0x86, 0x71, i + 1]).flat(),
  ];
  refuses(Uint8Array.of(...nest, 0x68, 40, 0x93, 0x2e), "the pickle is something else");
  const whole = encodePickledMapping(new Map([[0, "Unknown"], [1, "V1v"]]));
  for (let length = header.length; length < whole.length; length++) {
    assertThrows(
      () => parsePickledMapping(Uint8Array.from(whole.subarray(0, length)), "a.npy"),
      Error,
      "a.npy",
    );
  }
  const numbers = encodeNpyHeader("<f4", [1]);
  assertThrows(() => parsePickledMapping(Uint8Array.of(...numbers, 0, 0, 0, 0), "a.npy"), Error, "type <f4");
});
