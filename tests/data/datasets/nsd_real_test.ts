/** Real regions, ncsnr and places of NSD's voxels, where they are at hand, written as the release has them. */
import { assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { readNpy } from "../../../src/data/formats/npy.ts";
import { openNsd } from "../../../src/data/datasets/nsd.ts";
import { parsePickledMapping } from "../../../src/data/formats/pickled_mapping.ts";
import { HEMISPHERES, ROI_CLASSES } from "../../../src/data/datasets/subject.ts";
import { assertClose } from "../../support/assert_close.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { hdf5Of } from "../../support/nsd_files.ts";
import { realData } from "../../support/real_data.ts";

/** The part of func1pt8mm's 81 × 104 × 83 voxels that those at hand lie in. */
const FROM = [0, 0, 20], SIZE = [81, 60, 50], VOXELS = SIZE.reduce((a, b) => a * b);
/** Of subject 2, as the data's own table has it. */
const COUNTS = {
  V1: 1102,
  V2: 1075,
  V3: 1097,
  V4: 483,
  EBA: 2563,
  "FFA-1": 274,
  "FFA-2": 343,
  PPA: 749,
  OPA: 1082,
};
/** Trials of a session, of 40, and images: three that all saw, each in every session that is there, and others. */
const TRIALS = 4, SHARED = 3, IMAGES = 60, SESSIONS = 3;

/** A gzipped NIfTI-1 file of float32. */
function nifti(frames: Float32Array[]): Uint8Array {
  const bytes = new Uint8Array(352 + 4 * VOXELS * frames.length), view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  [4, ...SIZE, frames.length, 1, 1, 1].forEach((extent, i) => view.setInt16(40 + 2 * i, extent, true));
  view.setInt16(70, 16, true);
  view.setInt16(72, 32, true);
  view.setFloat32(108, 352, true);
  bytes.set(new TextEncoder().encode("n+1\0"), 344);
  frames.forEach((frame, i) => bytes.set(new Uint8Array(frame.buffer), 352 + 4 * VOXELS * i));
  return gzipSync(bytes, { level: 1 });
}

/** A MATLAB 5 file of doubles. */
function matlab(
  arrays: Record<string, { shape: [number, number]; data: Float64Array<ArrayBuffer> }>,
): Uint8Array {
  const element = (type: number, data: ArrayBuffer) => {
    const tag = Uint32Array.of(type, data.byteLength),
      padded = new Uint8Array(Math.ceil(data.byteLength / 8) * 8);
    padded.set(new Uint8Array(data));
    return [...new Uint8Array(tag.buffer), ...padded];
  };
  const all = Object.entries(arrays).flatMap(([name, { shape, data }]) => {
    const body = [
      ...element(6, Uint32Array.of(6, 0).buffer),
      ...element(5, Int32Array.from(shape).buffer),
      ...element(1, new TextEncoder().encode(name).buffer),
      ...element(9, data.buffer),
    ];
    return element(14, Uint8Array.from(body).buffer);
  });
  const header = new Uint8Array(128).fill(32);
  header.set([0, 1, 0x49, 0x4d], 124);
  return Uint8Array.from([...header, ...all]);
}

const real = realData("nsd_voxels/subj02");

Deno.test({
  name: "openNsd() finds the regions, their sizes and the noise ceilings of a real subject's voxels",
  ignore: real === undefined,
  fn: () =>
    inTemporaryFolder(async (dir) => {
      const betas = `${dir}/nsddata_betas/ppdata/subj02/func1pt8mm/betas_fithrf_GLMdenoise_RR`;
      const roi = `${dir}/nsddata/ppdata/subj02/func1pt8mm/roi`,
        label = `${dir}/nsddata/freesurfer/subj02/label`;
      const design = `${dir}/nsddata/experiments/nsd`, stimuli = `${dir}/nsddata_stimuli/stimuli/nsd`;
      for (const folder of [betas, roi, label, design, stimuli]) {
        await Deno.mkdir(folder, { recursive: true });
      }

      const values = async (name: string) => Array.from((await readNpy(`${real}/${name}`)).data, Number);
      const ceilings: number[] = [], ncsnr = new Float32Array(VOXELS).fill(NaN);
      const places: Record<string, number[]> = {};
      for (const hemisphere of HEMISPHERES) {
        const xyz = await values(`roi_masks/${hemisphere}.voxel_xyz.npy`);
        places[hemisphere] = Array.from({ length: xyz.length / 3 }, (_, v) => {
          const [x, y, z] = FROM.map((from, axis) => xyz[3 * v + axis] - from);
          return x + SIZE[0] * (y + SIZE[1] * z);
        });
        const own = await values(`test_split/noise_ceiling/${hemisphere}_noise_ceiling.npy`);
        own.forEach((ceiling, v) => ncsnr[places[hemisphere][v]] = Math.sqrt(ceiling / 3 / (1 - ceiling)));
        const order = places[hemisphere].map((_, v) => v).sort((a, b) =>
          places[hemisphere][a] - places[hemisphere][b]
        );
        ceilings.push(...order.map((v) => own[v]));
      }
      await Deno.writeFile(`${betas}/ncsnr.nii.gz`, nifti([ncsnr]));
      for (const roiClass of [...Object.keys(ROI_CLASSES), "nsdgeneral"]) {
        for (const hemisphere of HEMISPHERES) {
          const mask = new Float32Array(VOXELS).fill(-1), own = places[hemisphere];
          const labels = roiClass === "nsdgeneral"
            ? own.map(() => 1)
            : await values(`roi_masks/${hemisphere}.${roiClass}_challenge_space.npy`);
          own.forEach((place, v) => mask[place] = labels[v]);
          await Deno.writeFile(`${roi}/${hemisphere}.${roiClass}.nii.gz`, nifti([mask]));
        }
        if (roiClass === "nsdgeneral") continue;
        const path = `${real}/roi_masks/mapping_${roiClass}.npy`;
        const names = [...parsePickledMapping(await Deno.readFile(path), path)];
        await Deno.writeTextFile(
          `${label}/${roiClass}.mgz.ctab`,
          names.map((line) => line.join(" ")).join("\n"),
        );
      }

      // Every session begins with the shared images; positions and images are counted from 1.
      const order = Float64Array.from({ length: 40 * TRIALS }, (_, trial) => {
        const within = trial % TRIALS;
        return 1 + (within < SHARED ? within : SHARED + Math.floor(trial / TRIALS));
      });
      await Deno.writeFile(
        `${design}/nsd_expdesign.mat`,
        matlab({
          masterordering: { shape: [1, order.length], data: order },
          subjectim: {
            shape: [8, IMAGES],
            data: Float64Array.from({ length: 8 * IMAGES }, (_, i) => 1 + Math.floor(i / 8)),
          },
          sharedix: { shape: [1, SHARED], data: Float64Array.of(1, 2, 3) },
        }),
      );
      await Deno.writeFile(
        `${stimuli}/nsd_stimuli.hdf5`,
        await hdf5Of({ imgBrick: new Uint8Array(IMAGES * 12) }, [IMAGES, 2, 2, 3]),
      );
      for (let session = 1; session <= SESSIONS; session++) {
        const frames = Array.from(
          { length: TRIALS },
          (_, trial) => Float32Array.from({ length: VOXELS }, (_, v) => (v * 7 + trial * 13 + session) % 101),
        );
        await Deno.writeFile(`${betas}/betas_session0${session}.nii.gz`, nifti(frames));
      }

      const { training, test, missing, close } = await openNsd(dir);
      close();
      assertEquals(training.voxels, { lh: 5339, rh: 5418, total: 10_757 });
      assertEquals(
        Object.fromEntries(Object.keys(COUNTS).map((name) => [name, training.rois.get(name)?.length])),
        COUNTS,
      );
      assertEquals(
        [training.rois.get("FBA-1")?.length, training.skipped],
        [0, []],
        "a region without a voxel",
      );
      assertEquals([training.images.length, test?.images.length], [SESSIONS, SHARED]);
      assertEquals(missing, ["sessions 4 to 40 of 40", "ROI files of Kastner2015"]);
      assertClose(training.noiseCeiling!, ceilings, { relative: 1e-6 });
    }),
});
