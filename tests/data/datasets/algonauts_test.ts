import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openAlgonauts, openAlgonautsSplits } from "../../../src/data/datasets/algonauts.ts";
import { cortexSvg } from "../../../src/scripting/cortex_map.ts";
import { readBrainSubject } from "../../../src/scripting/brain_subject.ts";
import { writeNpy } from "../../../src/data/formats/npy.ts";
import { encodePickledMapping } from "../../../src/data/formats/pickled_mapping.ts";
import { encodePalettePng } from "../../../src/data/images/palette_png.ts";
import golden from "../../golden/arrays.json" with { type: "json" };
import { writeAlgonautsPlaces } from "../../support/algonauts_places.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { randomMatrix } from "../../support/random.ts";
import {
  writeAlgonautsNoiseCeiling,
  writeAlgonautsResponses,
  writeAlgonautsRois,
  writeAlgonautsVertices,
} from "../../../src/data/datasets/write_algonauts.ts";
import { clearSkipped, skippedLines } from "../../../src/data/files/skipped.ts";
import { readKriegeskorte92 } from "../../../src/data/datasets/kriegeskorte92.ts";
import { imageFolder, placesPath } from "../../../src/data/datasets/algonauts_paths.ts";

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

Deno.test("openAlgonautsSplits() opens the release as it comes: no test responses, masks of fsaverage, fewer vertices", () =>
  inTemporaryFolder(async (dir) => {
    const png = encodePalettePng({ width: 1, height: 1, data: new Uint8Array(1) }), fsaverage = 163_842;
    for (const [subject, lh, rh] of [["subj06", 18_978, 20_220], ["subj08", 18_981, 20_530]] as const) {
      const folder = `${dir}/${subject}`;
      for (const [split, count] of [["training", 3], ["test", 2]] as const) {
        await Deno.mkdir(imageFolder(folder, split), { recursive: true });
        for (let i = 1; i <= count; i++) {
          await Deno.writeFile(
            `${imageFolder(folder, split)}/${split.slice(0, 5)}-000${i}_nsd-0000${i}.png`,
            png,
          );
        }
      }
      const names = { lh: new Array<string>(lh).fill(""), rh: new Array<string>(rh).fill("") };
      names.lh.fill("V1v", 0, 9);
      names.rh.fill("V1v", rh - 5);
      await writeAlgonautsRois(folder, names);
      for (const [hemisphere, vertices] of [["lh", lh], ["rh", rh]] as const) {
        const { data } = randomMatrix(3, vertices, 1);
        await writeAlgonautsResponses(folder, "training", { hemisphere, data, rows: 3 });
        for (const name of ["all-vertices", "prf-visualrois"]) {
          const mask = new Int32Array(fsaverage).fill(1, 0, name === "all-vertices" ? vertices : 9);
          await writeNpy(`${folder}/roi_masks/${hemisphere}.${name}_fsaverage_space.npy`, mask, [fsaverage]);
        }
      }
      const { training, test } = await openAlgonautsSplits(folder);
      assertEquals([training.voxels, test], [{ lh, rh, total: lh + rh }, undefined]);
      assertEquals([training.images.length, training.rois.get("V1")?.length], [3, 14]);
      assertEquals(training.rois.get("V1")!.at(-1), lh + rh - 1);
      assertEquals([training.noiseCeiling, training.skipped], [undefined, []]);
    }
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
    await writeNpy(responses, new Int32Array(IMAGES), [IMAGES]);
    await assertRejects(() => openAlgonauts(dir), Error, "has shape (7), expected images × vertices.");
    await writeNpy(responses, new Float32Array(6), [6, 1]);
    await assertRejects(() => openAlgonauts(dir), Error, "has 7 images");
    await assertRejects(
      () => writeAlgonautsRois(dir, { lh: ["V9"], rh: [] }),
      RangeError,
      "No ROI class has V9",
    );
  }));

Deno.test("openAlgonauts reads responses of every type, order and archive as float32", () =>
  inTemporaryFolder(async (dir) => {
    await writeSubject(dir);
    for (const { name } of Deno.readDirSync(imageFolder(dir, "training"))) {
      if (/[4-6]/.test(name)) await Deno.remove(`${imageFolder(dir, "training")}/${name}`);
    }
    await writeAlgonautsRois(dir, { lh: ["V1v", "", ""], rh: ["", "EBA", ""] });
    const masks = ["floc-faces"].flatMap((name) =>
      ["mapping_", "lh.", "rh."].map((start) => `${start}${name}`)
    );
    for (const { name } of Deno.readDirSync(`${dir}/roi_masks`)) {
      if (masks.some((mask) => name.startsWith(mask))) await Deno.remove(`${dir}/roi_masks/${name}`);
    }
    const folder = `${dir}/training_split/training_fmri`;
    for (const [name, { base64, shape, values }] of Object.entries(golden.files)) {
      if (shape.length !== 2 || name.includes("b1")) continue;
      await Deno.remove(folder, { recursive: true });
      await Deno.mkdir(folder);
      const ending = name.endsWith("npz") && !name.startsWith("several") ? "npz" : "npy";
      if (name.startsWith("several")) continue;
      for (const hemisphere of ["lh", "rh"]) {
        await Deno.writeFile(
          `${folder}/${hemisphere}_training_fmri.${ending}`,
          Uint8Array.fromBase64(base64),
        );
      }
      const subject = await openAlgonauts(dir), { data } = await subject.readResponses(1, 2);
      const rows = [values.slice(3, 6), values.slice(6, 9)].flatMap((row) => [...row, ...row]);
      assertEquals([data, subject.skipped], [Float32Array.from(rows), []], name);
    }
  }));

Deno.test("openAlgonauts leaves out voxels of no use, in both splits, and tells them by reason and region", () =>
  inTemporaryFolder(async (dir) => {
    const { lh, rh } = await writeSubject(dir);
    for (let image = 0; image < IMAGES; image++) {
      lh[image * LH + 1] = NaN; // whole
      rh[image * RH + 1] = 0.1; // constant
    }
    lh[3 * LH + 2] = -Infinity; // one response
    await writeAlgonautsResponses(dir, "training", { hemisphere: "lh", data: lh, rows: IMAGES });
    await writeAlgonautsResponses(dir, "training", { hemisphere: "rh", data: rh, rows: IMAGES });
    await writeAlgonautsNoiseCeiling(dir, "lh", Float32Array.of(0.5, 0.5, 0.5, 0.25, NaN));
    await writeAlgonautsNoiseCeiling(dir, "rh", Float32Array.of(0, 0.5, 0.5, 0.75));
    await writeAlgonautsPlaces(dir, "lh", Float32Array.from({ length: 2 * LH }, (_, i) => i));
    await writeAlgonautsPlaces(dir, "rh", Float32Array.from({ length: 2 * RH }, (_, i) => 100 + i));
    const subject = await openAlgonauts(dir);
    assertEquals(subject.skipped, [
      "4 of 9 voxels: 2 with a response that is not finite, 1 with one response to all images, " +
      "1 whose noise ceiling is not a number (FFA-1 1, V1v 1, hV4 1, V1 1, V4 1, FFA 1, no region 1)",
    ]);
    assertEquals(subject.voxels, { lh: 2, rh: 3, total: 5 });
    assertEquals(subject.vertices, Uint32Array.of(0, 3, 0, 2, 3));
    const roi = (name: string) => [...subject.rois.get(name)!];
    assertEquals([roi("V1"), roi("FFA"), roi("V4"), roi("EBA")], [[0, 1], [2], [], [4]]);
    assertEquals(subject.noiseCeiling, Float32Array.of(0.5, 0.25, 0, 0.5, 0.75));
    assertEquals(subject.places, Float32Array.of(0, 1, 6, 7, 100, 101, 104, 105, 106, 107));
    const { data, cols } = await subject.readResponses(6, 1);
    assertEquals([cols, data], [5, Float32Array.of(lh[30], lh[33], rh[24], rh[26], rh[27])]);

    await writeAlgonautsPlaces(dir, "rh", Float32Array.from({ length: 2 * RH }, (_, i) => i === 4 ? NaN : i));
    const unplaced = await openAlgonauts(dir);
    assertEquals(unplaced.places, undefined);
    assertEquals(unplaced.notes, ["voxel_places.npy is not used: it holds places that are not finite"]);

    // What is of no use in the test split only is left out of the training split too.
    await Deno.mkdir(imageFolder(dir, "test"), { recursive: true });
    for (const name of ["0", "1"]) {
      await Deno.copyFile(
        `${imageFolder(dir, "training")}/train-000${name}.png`,
        `${imageFolder(dir, "test")}/${name}.png`,
      );
    }
    await writeAlgonautsResponses(dir, "test", { hemisphere: "lh", data: lh.slice(0, 2 * LH), rows: 2 });
    await writeAlgonautsResponses(dir, "test", {
      hemisphere: "rh",
      data: Float32Array.of(1, 2, 3, NaN, 4, 5, 6, 7),
      rows: 2,
    });
    for (const split of ["training", "test"] as const) {
      const { voxels, vertices } = await openAlgonauts(dir, split);
      assertEquals([voxels, [...vertices]], [{ lh: 2, rh: 2, total: 4 }, [0, 3, 0, 2]], split);
    }
    const brain = await readBrainSubject(dir, "test");
    assertEquals([brain.leftHemisphere, brain.responses.cols, brain.skipped.length], [2, 4, 1]);

    await writeAlgonautsResponses(dir, "test", { hemisphere: "rh", data: new Float32Array(6), rows: 2 });
    await assertRejects(() => openAlgonauts(dir), Error, "rh_test_fmri.npy has 3 vertices");
    await Deno.writeTextFile(`${dir}/test_split/test_fmri/rh_test_fmri.npy`, "damaged");
    await assertRejects(() => openAlgonauts(dir), Error, "rh_test_fmri.npy is not a .npy file");
    await Deno.remove(`${dir}/test_split/test_fmri/rh_test_fmri.npy`);
    await assertRejects(() => openAlgonauts(dir), Error, "There is no file");
    await Deno.remove(`${dir}/test_split/test_fmri`, { recursive: true });
    lh.fill(NaN, 2 * LH, 3 * LH);
    await writeAlgonautsResponses(dir, "training", { hemisphere: "lh", data: lh, rows: IMAGES });
    await assertRejects(() => openAlgonauts(dir), Error, "has no finite response to image 2");
    await writeAlgonautsResponses(dir, "training", { hemisphere: "lh", data: lh.fill(1), rows: IMAGES });
    await writeAlgonautsResponses(dir, "training", { hemisphere: "rh", data: rh.fill(2), rows: IMAGES });
    await assertRejects(
      () => openAlgonauts(dir),
      Error,
      "has no voxel that is of use: 9 of 9 voxels: 9 with one",
    );
    await writeAlgonautsNoiseCeiling(dir, "rh", Float32Array.of(0, 50, 50, 75));
    await assertRejects(() => openAlgonauts(dir), Error, "gives vertex 1 the noise ceiling 50");
  }));

Deno.test("openAlgonauts finds the voxels on fsaverage: by the release's mask, or by a list that may stand in any order", () =>
  inTemporaryFolder(async (dir) => {
    await writeSubject(dir);
    assertEquals((await openAlgonauts(dir)).surfaceVertices, undefined);
    const masks = `${dir}/roi_masks`;
    const writeMask = async (hemisphere: string, vertices: number[], length = 163_842) => {
      const mask = new Int32Array(length);
      for (const vertex of vertices) mask[vertex] = 1;
      await writeNpy(`${masks}/${hemisphere}.all-vertices_fsaverage_space.npy`, mask, [length]);
    };
    await writeMask("lh", [3, 10_241, 10_242, 70_000, 163_841]);
    assertEquals((await openAlgonauts(dir)).notes, [
      "lh.all-vertices_fsaverage_space.npy is not used: there is no rh.all-vertices_fsaverage_space.npy",
    ]);
    await writeMask("rh", [0, 1, 2, 9], 10_242);
    const subject = await openAlgonauts(dir);
    assertEquals(subject.surfaceVertices, Uint32Array.of(3, 10_241, 10_242, 70_000, 163_841, 0, 1, 2, 9));
    assertEquals((await subject.hashLabels()).filter(([name]) => name.includes("all-vertices")).length, 2);

    await writeMask("rh", [0, 1, 2]);
    await assertRejects(
      () => openAlgonauts(dir),
      Error,
      "rh.all-vertices_fsaverage_space.npy marks 3 vertices, the responses have 4: they must be equal",
    );
    await writeMask("rh", [0, 1, 2, 3], 1000);
    await assertRejects(
      () => openAlgonauts(dir),
      Error,
      "expected one value a vertex of fsaverage, fsaverage6 or",
    );

    await writeAlgonautsVertices(dir, "lh", Int32Array.of(9, 8, 163_841, 6, 5));
    await writeAlgonautsVertices(dir, "rh", Int32Array.of(4, 3, 2, 1));
    const listed = await openAlgonauts(dir);
    assertEquals(listed.surfaceVertices, Uint32Array.of(9, 8, 163_841, 6, 5, 4, 3, 2, 1));
    for (const [vertex, shown] of [[163_842, "163842"], [-1, "-1"]] as const) {
      await writeAlgonautsVertices(dir, "rh", Int32Array.of(4, vertex, 2, 1));
      await assertRejects(
        () => openAlgonauts(dir),
        Error,
        `rh.voxel_vertices.npy puts voxel 1 on vertex ${shown}, expected a whole number from 0 to 163841`,
      );
    }
  }));

Deno.test("cortexSvg() draws voxels on the flat map or as dots, leaves NaN out, and says what does not fit", () =>
  inTemporaryFolder(async (dir) => {
    await writeSubject(dir);
    const values = Float32Array.from({ length: LH + RH }, (_, i) => i === 3 ? NaN : i - 4);
    const maps = ["a", "b<c", "d", "e"].map((title) => ({ title, values }));
    const dots = await cortexSvg(dir, maps, "r");
    assertEquals([dots.match(/h0/g)!.length, dots.includes("<image")], [4 * (LH + RH - 1), false]);
    await writeAlgonautsVertices(dir, "lh", Int32Array.of(9, 8, 163_841, 6, 5));
    await writeAlgonautsVertices(dir, "rh", Int32Array.of(4, 3, 2, 1));
    const svg = await cortexSvg(dir, maps, "r");
    assertEquals(svg.match(/<image /g)!.length, 4);
    assert(svg.startsWith("<?xml") && svg.includes('width="900"') && svg.includes(">b&lt;c</text>"));
    assertEquals(await cortexSvg(dir, maps, "r"), svg);
    const refuses = (values: number[], sentence: string) =>
      assertRejects(() => cortexSvg(dir, [{ title: "x", values }], "r"), RangeError, sentence);
    await refuses([1, 2], 'The map "x" has 2 values, expected one for each of 9 voxels');
    await refuses([...values.slice(1), -Infinity], 'The map "x" holds -Infinity');
    await assertRejects(() => cortexSvg(dir, [], "r"), RangeError, "There is no map to draw");
  }));

Deno.test("openAlgonauts keeps regions of one name apart, loses no voxel, and says so", () =>
  inTemporaryFolder(async (dir) => {
    await writeSubject(dir);
    const add = async (roiClass: string, names: string[], lh: number[], rh: number[]) => {
      const masks = `${dir}/roi_masks`, mapping = new Map(["Unknown", ...names].map((name, i) => [i, name]));
      await Deno.writeFile(`${masks}/mapping_${roiClass}.npy`, encodePickledMapping(mapping));
      await writeNpy(`${masks}/lh.${roiClass}_challenge_space.npy`, Int32Array.from(lh), [LH]);
      await writeNpy(`${masks}/rh.${roiClass}_challenge_space.npy`, Int32Array.from(rh), [RH]);
    };
    await add("Kastner2015", ["V1v", "IPS0"], [0, 1, 2, 0, 0], [1, 0, 0, 0]);
    await Deno.writeFile(
      `${dir}/roi_masks/mapping_x.npy`,
      encodePickledMapping(new Map([[0, "IPS1"], [1, "IPS2"]])),
    );
    await writeNpy(`${dir}/roi_masks/lh.x_challenge_space.npy`, new Int32Array(LH), [LH]);
    await writeNpy(`${dir}/roi_masks/rh.x_challenge_space.npy`, new Int32Array(RH), [RH]);
    assertEquals((await openAlgonauts(dir)).notes.slice(0, 1), [
      '"IPS1", which mapping_x.npy calls 0, is taken for no region: give a region another number',
    ]);
    for (const name of ["mapping_x", "lh.x_challenge_space", "rh.x_challenge_space"]) {
      await Deno.remove(`${dir}/roi_masks/${name}.npy`);
    }
    const { rois, notes } = await openAlgonauts(dir);
    const of = (name: string) => [...rois.get(name)!];
    assertEquals([of("V1v"), of("Kastner2015 V1v"), of("IPS0"), of("V1")], [[0, 6], [1, 5], [2], [0, 3, 6]]);
    assertEquals(notes, ['"V1v" is that of prf-visualrois; "Kastner2015 V1v" is apart']);

    await add("Benson", ["V1", "IPS0"], [0, 2, 0, 0, 0], [0, 1, 1, 0]);
    const more = await openAlgonauts(dir), all = (name: string) => [...more.rois.get(name)!];
    assertEquals([all("V1"), all("Benson V1"), all("IPS0")], [[0, 3, 6], [6, 7], [1, 2]]);
    assertEquals([all("Benson IPS0"), all("Kastner2015 IPS0")], [[1], [2]]);
    assertEquals(more.notes, [
      '"IPS0" is what Benson and Kastner2015 call so together; "Benson IPS0" and "Kastner2015 IPS0" are apart',
      '"V1v" is that of prf-visualrois; "Kastner2015 V1v" is apart',
      '"V1" is V1v and V1d; "Benson V1" is apart',
    ]);
  }));

/** What NumPy 2 writes for {0: "Unknown", 7: "V1v", 300: the same string}, pickle protocol 4, after the header. */
Deno.test("openAlgonauts says where images without zeros in front are not in the order of their numbers", () =>
  inTemporaryFolder(async (dir) => {
    await writeSubject(dir);
    const folder = imageFolder(dir, "training");
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    for (const [i, name] of names.entries()) {
      await Deno.rename(`${folder}/${name}`, `${folder}/image ${i + 5}.png`);
    }
    assertEquals((await openAlgonauts(dir)).notes, [
      "rows of responses belong to images in the order of their letters, image 11.png before image 5.png: " +
      "where they are in that of their numbers, write these with zeros in front",
    ]);
  }));

Deno.test("openAlgonauts refuses places that stand in two rows, and does not take them for pairs", () =>
  inTemporaryFolder(async (dir) => {
    await writeSubject(dir);
    for (const [hemisphere, count] of [["lh", LH], ["rh", RH]] as const) {
      await writeNpy(placesPath(dir, hemisphere), new Float32Array(2 * count), [2, count]);
    }
    await assertRejects(
      () => openAlgonauts(dir),
      Error,
      `expected (${LH}, 2), a row for each vertex: transpose it.`,
    );
  }));

Deno.test("readKriegeskorte92() says where pictures without zeros in front are not in the order of their numbers", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.mkdir(`${dir}/images`);
    for (const name of ["9", "10"]) await Deno.writeFile(`${dir}/images/${name}.png`, new Uint8Array(1));
    for (const name of ["h", "m"]) await writeNpy(`${dir}/rdm_${name}IT.npy`, Float32Array.of(1), [1]);
    clearSkipped();
    await readKriegeskorte92(dir);
    assertStringIncludes(
      skippedLines().join(),
      "belong to images in the order of their letters, 10.png before 9.png",
    );
    clearSkipped();
  }));
