import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { gunzipSync, gzipSync, inflateSync } from "node:zlib";
import { openNsd, openStimuli } from "../../../src/data/datasets/nsd.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { golden, LABELS, MGH, NIFTI, ROI, writeNsd } from "../../support/nsd_files.ts";

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
    for (const image of [7_000, 72_999]) {
      const { data, width, height } = read(image);
      assertEquals([data.length, width, height], [each, 425, 425]);
      assert(data.every((value, i) => value === pixels[i]), `image ${image}`);
    }
    assertThrows(
      () => read(72_998),
      Error,
      `Image 72998 of ${path} is 0 throughout, as HDF5 reads what was never written: copy it again.`,
    );
    close();
    await assertRejects(
      () => openStimuli(path, [{ id: 73_000 }], "the design"),
      Error,
      `the design shows image 73000, counted from 0, imgBrick of ${path} has 73000 images: copy both again.`,
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
