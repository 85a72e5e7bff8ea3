import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";

import { gunzipSync, gzipSync, inflateSync } from "node:zlib";
import sharp from "sharp";
import { openAlgonautsSplits } from "../../../src/data/datasets/algonauts.ts";
import { type DataFolders, dataTableText, openData } from "../../../src/cli/data_flags.ts";
import { openNsd, openStimuli } from "../../../src/data/datasets/nsd.ts";
import { NotFinished } from "../../../src/data/cache/stages.ts";
import { embeddedModels } from "../../../src/synthetic/dataset.ts";
import { openRunData } from "../../../tasks/shared/open_data.ts";
import { assertClose } from "../../support/assert_close.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { BETAS, golden, hdf5Of, writeNsd } from "../../support/nsd_files.ts";

const [HDF5, , NIFTI, MGH, NATIVE] = BETAS, DESIGN = "nsddata/experiments/nsd/nsd_expdesign.mat";
const INFO = "nsddata/experiments/nsd/nsd_stim_info_merged.csv", ROI = "nsddata/ppdata/subj03/func1pt8mm/roi";
const LABELS = "nsddata/freesurfer/subj03/label", STIMULI = "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5";

/** Pixels of imgBrick, of which the golden file has some. */
const SIZE = { width: 4, height: 5 };

async function writeImages(dir: string): Promise<void> {
  const { training, test, close } = await openNsd(`${dir}/${HDF5}`);
  for (const [split, { images, readImage }] of [["training", training], ["test", test!]] as const) {
    const folder = `${dir}/algonauts/${split}_split/${split}_images`;
    await Deno.mkdir(folder, { recursive: true });
    for (const [row, name] of images.entries()) {
      const { data, width, height } = await readImage(row);
      await sharp(data, { raw: { width, height, channels: 3 } }).png().toFile(`${folder}/${name}.png`);
    }
  }
  close();
}

Deno.test("openNsd() gives what the same subject gives as Algonauts 2023, however its betas are stored", () =>
  inTemporaryFolder(async (dir) => {
    await writeNsd(dir);
    await writeImages(dir);
    const expected = await openAlgonautsSplits(`${dir}/algonauts`);
    for (const path of BETAS) {
      const { training, test, about, missing, close } = await openNsd(`${dir}/${path}/`);
      for (
        const [split, own, other] of [["training", training, expected.training], [
          "test",
          test!,
          expected.test!,
        ]] as const
      ) {
        assertEquals(
          own.images,
          golden.images[split].map((id) => `nsd-${String(id).padStart(5, "0")}`),
          path,
        );
        const rows = own.images.length, wanted = await other.readResponses(0, rows);
        const found = await own.readResponses(0, rows);
        assertEquals([found.rows, found.cols], [rows, 47]);
        assertClose(found.data, wanted.data, { relative: 1e-6 });
        assertEquals((await own.readResponses(1, 2)).data, found.data.slice(47, 3 * 47));
        await assertRejects(() => own.readResponses(rows - 1, 2), RangeError, `${rows} `);
        assertEquals([own.voxels, own.rois], [other.voxels, other.rois], path);
        assertClose(own.noiseCeiling!, other.noiseCeiling!, { relative: 1e-6 });
        for (const [row, id] of golden.images[split].entries()) {
          const pixels: number[] | undefined = (golden.pixels as Record<string, number[]>)[id];
          if (pixels) assertEquals(await own.readImage(row), { ...SIZE, data: Uint8Array.from(pixels) });
        }
        const isVolume = path.includes("1pt8");
        const { lh, rh } = golden.voxels,
          left = lh.filter((_, i) => i !== 4),
          right = rh.filter((_, i) => i !== 2);
        const inHemisphere = [...expected.training.vertices];
        assertEquals([...own.vertices], isVolume ? [...left, ...right] : inHemisphere, path);
      }
      assertEquals(about, `4 sessions of ${path.replace("nsddata_betas/ppdata/", "")}`);
      assertEquals(missing, [
        "sessions 4, 6 to 40 of 40",
        "ROI files of floc-bodies, floc-places, floc-words, streams",
      ]);
      assertEquals(training.skipped, [
        "2 of 49 voxels: 1 whose noise ceiling is not a number, 1 that a session has not measured " +
        "(one response to all its trials) (hV4 1, OFA 1, nsdgeneral 1, V4 1, Kastner2015 V1v 2)",
      ]);
      assertEquals(training.notes, [
        ...(path.includes("1pt8")
          ? ["voxels in regions of both hemispheres, which are counted as left: 1"]
          : []),
        '"V1v" is that of prf-visualrois; "Kastner2015 V1v" is apart',
        '"V1d" is that of prf-visualrois; "Kastner2015 V1d" is apart',
        "sessions between those that are there are missing: 4",
      ]);
      close();
    }
    const rois = [...expected.training.rois].filter(([, { length }]) => length === 0).map(([name]) => name);
    assertEquals(rois.includes("mTL-faces"), true, "a region with a name and no voxel");
  }));

Deno.test("a run on NSD has the features, responses and regions of a run on the same subject as Algonauts 2023", () =>
  inTemporaryFolder(async (dir) => {
    await writeNsd(dir);
    await writeImages(dir);
    const models = [embeddedModels()[0]], cache = `${dir}/cache`;
    const brainOf = async (folders: DataFolders) => {
      const data = await openRunData({ folders, models }, { cache, limit: 1, quick: true, timings: {} });
      const brain = await data.readBrain(`${cache}/align`, () => {}, { limit: 3 });
      data.close();
      return { brain, voxels: data.subject.voxels, images: data.images.length, name: data.name };
    };
    const own = await brainOf({ nsd: `${dir}/${HDF5}` }),
      other = await brainOf({ algonauts: `${dir}/algonauts` });
    assertEquals([own.voxels, own.images], [other.voxels, other.images]);
    assertEquals([own.name, other.name], ["nsd subj03/func1pt8mm/betas_hdf5", "algonauts algonauts"]);
    for (const split of ["training", "test"] as const) {
      assertEquals(own.brain[split].pooled, other.brain[split].pooled);
      const [found, wanted] = [own, other].map(({ brain }) => brain[split].responses);
      assertClose(found.data, wanted.data, { relative: 1e-6 });
    }
    assertEquals(own.brain.training.tokens, other.brain.training.tokens);
    assertEquals([own.brain.rois, own.brain.slots], [other.brain.rois, other.brain.slots]);
  }));

Deno.test("openNsd() keeps the responses it has put together, until a file that they depend on changes", () =>
  inTemporaryFolder(async (dir) => {
    await writeNsd(dir);
    const told: string[] = [], cache = `${dir}/cache`;
    const open = async (explain = false) => {
      told.length = 0;
      const opened = await openNsd(`${dir}/${NIFTI}`, {
        cache,
        explain,
        onProgress: (...step) => told.push(step.join()),
      });
      opened.close();
      const { readResponses, images } = opened.training;
      return (await readResponses(0, images.length)).data;
    };
    await assertRejects(() => open(true), NotFinished, "responses has not finished: never finished before");
    const first = await open();
    assertEquals(told.at(-1), "4,4,");
    assertEquals([await open(), told], [first, []]);
    const memory = await openNsd(`${dir}/${NIFTI}`);
    memory.close();
    assertEquals((await memory.training.readResponses(0, memory.training.images.length)).data, first);

    const path = `${dir}/${NIFTI}/betas_session02.nii`, bytes = await Deno.readFile(path);
    for (let at = 400; at < 480; at += 3) bytes[at] ^= 64;
    await Deno.writeFile(path, bytes);
    await assertRejects(() => open(true), NotFinished, "responses has not finished: hashes changed");
    assertNotEquals(await open(), first);
  }));

Deno.test("openData() takes NSD as it takes a subject of Algonauts 2023, by any folder that leads to its betas", () =>
  inTemporaryFolder(async (dir) => {
    await writeNsd(dir);
    const open = async (nsd: string) => {
      const data = await openData({ nsd }, 2);
      data.close();
      return data;
    };
    const { table, images, subject, identity } = await open(
      `${dir}/nsddata_betas/ppdata/subj03/nativesurface`,
    );
    const text = dataTableText(table).replaceAll(dir, "DIR").replaceAll(/ {2,}/g, " | ");
    assertEquals(text.split("\n"), [
      "nsd | found | 9 training and 4 test images, 24 + 23 voxels (lh + rh), 12 regions, 4 sessions of subj03/nativesurface/betas_hdf5",
      "DIR/nsddata_betas/ppdata/subj03/nativesurface | missing | sessions 4, 6 to 40 of 40; ROI files of floc-bodies, floc-places, floc-words, streams",
      " | used for | channel align, brain scores, and the graph of 2 test images",
    ]);
    assertEquals(images.map(({ name }) => name), ["nsd-00000", "nsd-00023"]);
    assertEquals((await images[0].load().catch((error) => error)) instanceof Error, true, "closed");
    assertEquals(subject?.test?.images.length, 4);
    assertEquals((await open(`${dir}/${NATIVE}`)).identity, identity);
    assertNotEquals((await open(`${dir}/${HDF5}`)).identity.truth, identity.truth);
    assertEquals((await open(`${dir}/${HDF5}`)).identity.images, identity.images);
    await assertRejects(
      () => openData({ nsd: dir, algonauts: dir }),
      Error,
      "--data algonauts: and --data nsd: are both given: a run has one subject, so give one of them.",
    );
  }));

Deno.test("openNsd() says of betas on the whole of fsaverage which of its vertices the voxels are", () =>
  inTemporaryFolder(async (dir) => {
    await writeNsd(dir);
    await Deno.remove(`${dir}/${MGH}`, { recursive: true });
    await Deno.mkdir(`${dir}/${MGH}`);
    const labels = `${dir}/nsddata/freesurfer/fsaverage/label`, vertices = 163_842;
    const write = async (path: string, type: number, frames: number, value: (i: number) => number) => {
      const bytes = new Uint8Array(284 + 4 * vertices * frames), view = new DataView(bytes.buffer);
      [1, vertices, 1, 1, frames, type].forEach((number, i) => view.setInt32(4 * i, number));
      for (let i = 0; i < vertices * frames; i++) {
        if (type === 3) view.setFloat32(284 + 4 * i, value(i));
        else view.setInt32(284 + 4 * i, value(i));
      }
      await Deno.writeFile(path, bytes);
    };
    for (const { name } of [...Deno.readDirSync(labels)]) {
      if (/^[lr]h/.test(name)) await Deno.remove(`${labels}/${name}`);
    }
    for (const hemisphere of ["lh", "rh"]) {
      await write(`${dir}/${MGH}/${hemisphere}.betas_session01.mgh`, 3, 5, Math.sin);
    }
    await assertRejects(
      () => openNsd(`${dir}/${MGH}`),
      Error,
      `lh.betas_session01.mgh has 5 trials, masterordering of ${dir}/${DESIGN} 240 in 40 sessions: each session must have 6, so copy both again.`,
    );
    for (const [hemisphere, from] of [["lh", 40_000], ["rh", 163_000]] as const) {
      await write(`${dir}/${MGH}/${hemisphere}.betas_session01.mgh`, 3, 6, Math.sin);
      await write(`${labels}/${hemisphere}.Kastner2015.mgh`, 1, 1, (i) => i >= from && i < from + 30 ? 3 : 0);
    }
    const { training, missing, close } = await openNsd(`${dir}/${MGH}`);
    close();
    const expected = Uint32Array.from({ length: 60 }, (_, i) => i < 30 ? 40_000 + i : 163_000 + i - 30);
    assertEquals([training.surfaceVertices, training.rois.get("VO1")?.length], [expected, 60]);
    assertEquals(missing[0], "sessions 2 to 40 of 40");
  }));

Deno.test("openStimuli() reads the last image of an imgBrick as large as the release's, of 39.6 GB", () =>
  inTemporaryFolder(async (dir) => {
    const { header, bytes } = golden.large_brick, path = `${dir}/nsd_stimuli.hdf5`, each = 425 * 425 * 3;
    const start = inflateSync(Uint8Array.fromBase64(header)),
      pixels = new Uint8Array(each).map((_, i) => i * 7 % 251);
    assertEquals(bytes, start.length + 73_000 * each);
    await Deno.writeFile(path, start);
    await Deno.truncate(path, bytes); // zeros that take no place on the disk
    for (const image of [7_000, 72_999]) {
      using file = await Deno.open(path, { write: true });
      await file.seek(start.length + image * each, Deno.SeekMode.Start);
      for (let at = 0; at < each;) at += await file.write(pixels.subarray(at));
    }
    const { read, close } = await openStimuli(path, [{ id: 72_999 }], "the design");
    for (const image of [7_000, 72_998, 72_999]) {
      const { data, width, height } = read(image);
      assertEquals([data.length, width, height], [each, 425, 425]);
      assert(data.every((value, i) => value === (image === 72_998 ? 0 : pixels[i])), `image ${image}`);
    }
    close();
    await assertRejects(
      () => openStimuli(path, [{ id: 73_000 }], "the design"),
      Error,
      `the design shows image 73000, counted from 0, imgBrick of ${path} has 73000 images: copy both again.`,
    );
  }));

Deno.test("openNsd() says in one sentence what cannot be used", () =>
  inTemporaryFolder(async (dir) => {
    await writeNsd(dir);
    /** Breaks a file, opens, and mends it. */
    const refused = async (
      betas: string,
      path: string,
      broken: Uint8Array | string | null | ((bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>),
      message: string,
    ) => {
      const whole = await Deno.readFile(`${dir}/${path}`).catch(() => null);
      const content = typeof broken === "function" ? await broken(whole!) : broken;
      if (content === null) await Deno.remove(`${dir}/${path}`);
      else if (typeof content === "string") await Deno.writeTextFile(`${dir}/${path}`, content);
      else await Deno.writeFile(`${dir}/${path}`, content);
      const error = await assertRejects(() => openNsd(`${dir}/${betas}`), Error);
      assertEquals(error.message.replaceAll(dir, "DIR"), message);
      if (whole) await Deno.writeFile(`${dir}/${path}`, whole);
      else await Deno.remove(`${dir}/${path}`);
    };
    const read = (path: string) => Deno.readFile(`${dir}/${path}`);
    const [mask, session] = [
      await read(`${ROI}/lh.floc-faces.nii.gz`),
      await read(`${NIFTI}/betas_session01.nii.gz`),
    ];
    const unpacked = (change: (bytes: Uint8Array) => void) => (bytes: Uint8Array) => {
      const plain = new Uint8Array(gunzipSync(bytes));
      change(plain);
      return new Uint8Array(gzipSync(plain));
    };

    // Betas.
    await refused(
      NIFTI,
      `${NIFTI}/betas_session01.nii.gz`,
      (bytes) => bytes.subarray(0, 400),
      `DIR/${NIFTI}/betas_session01.nii.gz is cut short: its gzip data end too early; copy it again.`,
    );
    await refused(
      NIFTI,
      `${NIFTI}/betas_session01.nii.gz`,
      (bytes) => Uint8Array.of(...bytes, ...gzipSync(new Uint8Array(3e6)).subarray(0, -9)), // after the last trial
      `DIR/${NIFTI}/betas_session01.nii.gz is cut short: its gzip data end too early; copy it again.`,
    );
    await refused(
      NIFTI,
      `${NIFTI}/betas_session01.nii.gz`,
      unpacked((bytes) => bytes[70] = 2),
      `DIR/${NIFTI}/betas_session01.nii.gz has values of type uint8, expected betas as int16 (300 × percent signal change), float32 or float64.`,
    );
    await refused(
      NIFTI,
      `${NIFTI}/betas_session05.nii.gz`,
      unpacked((bytes) => bytes[48] = 5),
      `DIR/${NIFTI}/betas_session05.nii.gz has 5 trials, DIR/${NIFTI}/betas_session01.nii.gz 6: they must be equal, so copy both again.`,
    );
    await refused(
      HDF5,
      `${HDF5}/betas_session02.hdf5`,
      await hdf5Of({ beta: new Int16Array(360) }, [6, 3, 4, 5]),
      `DIR/${HDF5}/betas_session02.hdf5 has no dataset betas: expected NSD's betas.`,
    );
    await refused(
      HDF5,
      `${HDF5}/betas_session02.hdf5`,
      await hdf5Of({ betas: new Int32Array(360) }, [6, 3, 4, 5]),
      `DIR/${HDF5}/betas_session02.hdf5 has values of type "<i", expected betas as int16 (300 × percent signal change), float32 or float64.`,
    );
    await refused(
      HDF5,
      `${HDF5}/betas_session02.hdf5`,
      session,
      `DIR/${HDF5}/betas_session02.hdf5 is not an HDF5 file, whatever its name says: copy it again.`,
    );
    await refused(
      MGH,
      `${MGH}/rh.betas_session03.mgh`,
      null,
      `DIR/${MGH} has lh.betas_session03.mgh without the other hemisphere's: copy both, or remove the one.`,
    );

    // Sizes.
    const [x, y] = [42, 44];
    await refused(
      NIFTI,
      `${ROI}/rh.Kastner2015.nii.gz`,
      unpacked((bytes) => [bytes[x], bytes[y]] = [4, 5]),
      `DIR/${ROI}/rh.Kastner2015.nii.gz has 4 × 5 × 3 values, DIR/${NIFTI}/betas_session01.nii.gz 5 × 4 × 3: they must be equal, so copy both again, of one space.`,
    );
    await refused(
      HDF5,
      `${HDF5}/ncsnr.nii.gz`,
      unpacked((bytes) => bytes[x] = 4),
      `DIR/${HDF5}/ncsnr.nii.gz has 4 × 4 × 3 values, DIR/${HDF5}/betas_session01.hdf5 5 × 4 × 3: they must be equal, so copy both again, of one space.`,
    );
    await refused(
      MGH,
      `${MGH}/rh.ncsnr.mgh`,
      (bytes) => bytes.with(7, 23),
      `DIR/${MGH}/rh.ncsnr.mgh has 23 values, DIR/${MGH}/rh.betas_session01.mgh 24: they must be equal, so copy both again, of one space.`,
    );
    await refused(
      NIFTI,
      `${NIFTI}/betas_session05.nii.gz`,
      unpacked((bytes) => [bytes[x], bytes[y]] = [4, 5]),
      `DIR/${NIFTI}/betas_session05.nii.gz has 4 × 5 × 3 values, DIR/${NIFTI}/betas_session01.nii.gz 5 × 4 × 3: they must be equal, so copy both again, of one space.`,
    );

    // Regions and ceilings.
    await refused(
      NIFTI,
      `${ROI}/lh.floc-faces.nii.gz`,
      null,
      `DIR/${ROI}/rh.floc-faces.nii.gz is there without the other hemisphere's: copy both, or remove the one.`,
    );
    await refused(
      NIFTI,
      `${LABELS}/floc-faces.mgz.ctab`,
      null,
      `There is no file DIR/${LABELS}/floc-faces.mgz.ctab, nor one of fsaverage: it names the regions of floc-faces.`,
    );
    await refused(
      NIFTI,
      `${LABELS}/floc-faces.mgz.ctab`,
      "0 Unknown\nOFA 1\n",
      `DIR/${LABELS}/floc-faces.mgz.ctab, line 2: expected a number and a name, found "OFA 1".`,
    );
    const faces = new Float32Array(gunzipSync(mask).buffer.slice(352)),
      at = faces.findIndex((value) => value > 1);
    await refused(
      NIFTI,
      `${LABELS}/floc-faces.mgz.ctab`,
      "0 Unknown\n1 OFA 0 255 0 0\n",
      `DIR/${ROI}/lh.floc-faces.nii.gz labels voxel ${at} with ${
        faces[at]
      }, which DIR/${LABELS}/floc-faces.mgz.ctab does not name: they do not belong together.`,
    );
    await refused(
      NIFTI,
      `${NIFTI}/ncsnr.nii.gz`,
      unpacked((bytes) => bytes.fill(0xbf, 352)),
      `DIR/${NIFTI}/ncsnr.nii.gz gives voxel ${
        golden.voxels.lh[0]
      } the ncsnr -1.4980391263961792, expected 0 or more: copy it again.`,
    );

    // Design and images.
    await refused(
      HDF5,
      DESIGN,
      (bytes) => bytes.subarray(0, 128),
      `DIR/${DESIGN} has no variable masterordering (it has none).`,
    );
    await refused(HDF5, DESIGN, null, `There is no file DIR/${DESIGN}.`);
    await refused(
      HDF5,
      INFO,
      (bytes) => new TextEncoder().encode(new TextDecoder().decode(bytes).replace(",True,", ",False,")),
      `DIR/${INFO} and sharedix of DIR/${DESIGN} disagree on whether image 0 is shared: copy both again, of one release.`,
    );
    await refused(
      HDF5,
      INFO,
      "nsdId,shared1000,subject1_rep0\n0,True,1\n",
      `DIR/${INFO} has no column subject3_rep0: expected that of the Natural Scenes Dataset.`,
    );
    await refused(
      HDF5,
      INFO,
      "nsdId,shared1000,subject3_rep0,subject3_rep1,subject3_rep2\n1,False,241,0,0\n",
      `DIR/${INFO} has image 1 in trial 241 of subject 3, DIR/${DESIGN} no such trial: copy both again, of one release.`,
    );
    const last = Math.max(...golden.images.training, ...golden.images.test);
    await refused(
      HDF5,
      STIMULI,
      await hdf5Of({ imgBrick: new Uint8Array(last * 60) }, [last, 5, 4, 3]),
      `DIR/${DESIGN} shows image ${last}, counted from 0, imgBrick of DIR/${STIMULI} has ${last} images: copy both again.`,
    );
    await refused(
      HDF5,
      STIMULI,
      await hdf5Of({ imgBrick: new Uint8Array(last * 60) }, [last, 3, 5, 4]),
      `DIR/${STIMULI} has no imgBrick of images × height × width × 3 bytes: copy it again.`,
    );

    // Folders.
    const folder = (path: string, message: string) =>
      assertRejects(() => openNsd(`${dir}/${path}`), Error, message);
    await folder(
      "algonauts",
      `${dir}/algonauts has no folder nsddata_betas/ppdata: --data nsd: takes the folder of`,
    );
    await folder(
      "nsddata_betas/ppdata/subj03/func1pt8mm/none",
      "none has no betas: expected nsddata_betas/ppdata/subj01/",
    );
    await folder(
      "",
      `has 5 folders of betas: write --data nsd: with one of them (${dir}/${BETAS[1]}, ${dir}/${HDF5}`,
    );
  }));

Deno.test("openNsd() leaves out ROI classes on another surface, or of one file for both hemispheres, and says so", () =>
  inTemporaryFolder(async (dir) => {
    await writeNsd(dir);
    const shared = `${dir}/nsddata/freesurfer/fsaverage/label`;
    for (const hemisphere of ["lh", "rh"]) {
      await Deno.remove(`${shared}/${hemisphere}.floc-faces.mgz`);
      const native = `${dir}/${LABELS}/${hemisphere}.floc-faces.mgz`,
        bytes = new Uint8Array(gunzipSync(await Deno.readFile(native)));
      await Deno.writeFile(native, gzipSync(Uint8Array.of(...bytes.with(7, bytes[7] + 1), 0, 0, 0, 0)));
    }
    const surface = await openNsd(`${dir}/${MGH}`);
    surface.close();
    assertEquals([surface.training.rois.has("OFA"), surface.training.rois.has("V1")], [false, true]);
    assertEquals(
      surface.training.notes[0],
      "floc-faces is not used: lh.floc-faces.mgz is on the subject's own surface (26 vertices, fsaverage has 25); " +
        "NSD's nsd_mapdata maps it to nsddata/ppdata/subj03/fsaverage/roi",
    );
    assertEquals(
      surface.missing[1],
      "ROI files of floc-bodies, floc-faces, floc-places, floc-words, streams",
    );

    const faces = `${dir}/${ROI}/lh.floc-faces.nii.gz`;
    await Deno.rename(faces, faces.replace("lh.", ""));
    await Deno.remove(faces.replace("lh.", "rh."));
    const volume = await openNsd(`${dir}/${NIFTI}`);
    volume.close();
    assertEquals(
      volume.training.notes[0],
      "floc-faces.nii.gz is not used: lh.floc-faces.nii.gz and rh.floc-faces.nii.gz are not there",
    );
  }));
