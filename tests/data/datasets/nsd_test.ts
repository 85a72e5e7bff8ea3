import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { openAlgonautsSplits } from "../../../src/data/datasets/algonauts.ts";
import type { DataFolders } from "../../../src/data/datasets/data_parts.ts";
import { dataTableText, openData } from "../../../src/data/datasets/open_data.ts";
import { openNsd } from "../../../src/data/datasets/nsd.ts";
import { NotFinished } from "../../../src/data/cache/stages.ts";
import { embeddedModels } from "../../../src/synthetic/dataset.ts";
import { openRunData } from "../../../tasks/shared/open_data.ts";
import { readBrainSubject } from "../../../src/scripting/brain_subject.ts";
import { nameOf, readPhotograph } from "../../../src/scripting/photographs.ts";
import { assertClose } from "../../support/assert_close.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import {
  BETAS,
  DESIGN,
  golden,
  HDF5,
  MGH,
  NATIVE,
  NIFTI,
  SIZE,
  writeImages,
  writeNsd,
} from "../../support/nsd_files.ts";

Deno.test("readBrainSubject() takes nsd:DIR and algonauts:DIR as the tasks do, and refuses anything else", () =>
  inTemporaryFolder(async (dir) => {
    await writeNsd(dir);
    const path = `${dir}/${HDF5}`, { training, test, close } = await openNsd(path);
    for (const [split, expected] of [["training", training], ["test", test!]] as const) {
      const brain = await readBrainSubject(`nsd:${path}`, split, 2);
      assertEquals(brain.responses, await expected.readResponses(0, 2));
      assertEquals(brain.rois, expected.rois);
      assertEquals(brain.photographs.map(nameOf), expected.images.slice(0, 2));
      assertEquals(await readPhotograph(brain.photographs[1]), await expected.readImage(1));
      brain.close();
    }
    close();
    await assertRejects(
      () => readBrainSubject(`voc:${dir}`),
      RangeError,
      `"voc:${dir}" is not a subject: give algonauts:DIR or nsd:DIR.`,
    );
    const read = (source: string) => assertRejects(() => readBrainSubject(source), Error);
    assertEquals((await read(`algonauts:${dir}/none`)).message, (await read(`${dir}/none`)).message);
  }));

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

Deno.test("openNsd() stops where its signal is aborted, keeps nothing half done, and goes on when asked again", () =>
  inTemporaryFolder(async (dir) => {
    await writeNsd(dir);
    for (const cache of [undefined, `${dir}/cache`]) {
      const controller = new AbortController(), { signal } = controller;
      let steps = 0;
      const onProgress = () => ++steps === 3 && controller.abort();
      const error = await assertRejects(
        () => openNsd(`${dir}/${HDF5}`, { cache, onProgress, signal }),
        DOMException,
      );
      assertEquals([error.name, steps], ["AbortError", 3]);
      const opened = await openNsd(`${dir}/${HDF5}`, { cache, signal: new AbortController().signal });
      assertEquals((await opened.training.readResponses(0, 1)).rows, 1);
      opened.close();
    }
  }));

Deno.test("openData() takes NSD as it takes a subject of Algonauts 2023, by any folder that leads to its betas", () =>
  inTemporaryFolder(async (dir) => {
    await writeNsd(dir);
    const open = async (nsd: string) => {
      const data = await openData({ nsd }, 2);
      data.close();
      return data;
    };
    const { table, images, subject, keys } = await open(
      `${dir}/nsddata_betas/ppdata/subj03/nativesurface`,
    );
    const text = dataTableText(table).replaceAll(dir, "DIR").replaceAll(/ {2,}/g, " | ");
    assertEquals(text.split("\n"), [
      "nsd | found | 9 training and 4 test images, 24 + 23 voxels (lh + rh), 12 regions, 4 sessions of subj03/nativesurface/betas_hdf5",
      "DIR/nsddata_betas/ppdata/subj03/nativesurface | missing | sessions 4, 6 to 40 of 40; ROI files of floc-bodies, floc-places, floc-words, streams",
      " | used for | channel alignment, brain scores, and the graph of 2 test images",
    ]);
    assertEquals(images.map(({ name }) => name), ["nsd-00000", "nsd-00023"]);
    assertEquals((await images[0].load().catch((error) => error)) instanceof Error, true, "closed");
    assertEquals(subject?.test?.images.length, 4);
    assertEquals((await open(`${dir}/${NATIVE}`)).keys, keys);
    assertNotEquals((await open(`${dir}/${HDF5}`)).keys.labels, keys.labels);
    assertEquals((await open(`${dir}/${HDF5}`)).keys.images, keys.images);
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
