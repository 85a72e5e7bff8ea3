import { assertEquals, assertRejects } from "@std/assert";
import { gunzipSync, gzipSync } from "node:zlib";
import { openNsd } from "../../../src/data/datasets/nsd.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import {
  BETAS,
  DESIGN,
  golden,
  HDF5,
  hdf5Of,
  INFO,
  LABELS,
  MGH,
  NIFTI,
  ROI,
  STIMULI,
  writeNsd,
} from "../../support/nsd_files.ts";

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
    // Its sform, of which the golden files' is the identity: srow_x at byte 280.
    const flipped = unpacked((plain) => new DataView(plain.buffer).setFloat32(280, -1, true));
    for (const [betas, first] of [[NIFTI, `${NIFTI}/betas_session01`], [HDF5, `${ROI}/lh.prf-visualrois`]]) {
      await refused(
        betas,
        `${ROI}/lh.floc-faces.nii.gz`,
        flipped,
        `DIR/${ROI}/lh.floc-faces.nii.gz lies otherwise than DIR/${first}.nii.gz: along its axes voxels go by (-1, 0, 0), ` +
          "(0, 1, 0), (0, 0, 1) mm, there by (1, 0, 0), (0, 1, 0), (0, 0, 1) mm; resample it to the same grid.",
      );
    }
    await refused(
      HDF5,
      `${HDF5}/ncsnr.nii.gz`,
      flipped,
      `DIR/${HDF5}/ncsnr.nii.gz lies otherwise than DIR/${ROI}/lh.prf-visualrois.nii.gz: along its axes voxels go by ` +
        "(-1, 0, 0), (0, 1, 0), (0, 0, 1) mm, there by (1, 0, 0), (0, 1, 0), (0, 0, 1) mm; resample it to the same grid.",
    );
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
    // NSD planned 40 sessions: a 41st is none of it.
    const beyond = "nsddata_betas/ppdata/subj04/func1pt8mm/betas_beyond";
    await Deno.mkdir(`${dir}/${beyond}`, { recursive: true });
    await Deno.writeTextFile(`${dir}/${beyond}/betas_session41.hdf5`, "");
    await folder(beyond, "betas_beyond has no betas: expected nsddata_betas/ppdata/subj01/");
    await folder(
      "",
      `has 5 folders of betas: write --data nsd: with one of them (${dir}/${BETAS[1]}, ${dir}/${HDF5}`,
    );
  }));
