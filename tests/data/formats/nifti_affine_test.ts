import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Affine, otherPlace } from "../../../src/data/formats/nifti_affine.ts";
import { openVolume } from "../../../src/data/formats/volume_file.ts";
import golden from "../../golden/nifti_affines.json" with { type: "json" };
import { assertClose } from "../../support/assert_close.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

Deno.test("openVolume() gives nibabel's affine, of sform and qform, and none where the header says none", () =>
  inTemporaryFolder(async (dir) => {
    for (const { name, base64, affine } of golden) {
      await Deno.writeFile(`${dir}/${name}`, Uint8Array.fromBase64(base64));
      using file = await openVolume(`${dir}/${name}`);
      if (affine === null) assertEquals(file.affine, undefined, name);
      else {
        assert(file.affine);
        assertClose(Float64Array.from(file.affine), affine, { relative: 1e-12 });
      }
    }
  }));

Deno.test("otherPlace() refuses flipped, turned and scaled volumes, and says how far others are shifted", () => {
  const size = [81, 104, 83], straight: Affine = [1.8, 0, 0, -72, 0, 1.8, 0, -92, 0, 0, 1.8, -73];
  const changed = (changes: Record<number, number>) => straight.map((value, at) => changes[at] ?? value);
  const of = (affine?: Affine) =>
    otherPlace({ path: "mask.nii.gz", size, affine }, { path: "betas.nii.gz", size, affine: straight });
  assertEquals(of(straight), undefined);
  assertEquals(of(undefined), undefined);
  assertEquals(of(changed({ 0: 1.8 + 1e-4, 3: -72.1 })), undefined); // what headers are rounded by
  assertEquals(
    of(changed({ 3: -70.2 })),
    "mask.nii.gz lies 1.8 mm beside betas.nii.gz: voxels are taken one for one",
  );
  assertThrows(
    () => of(changed({ 0: -1.8, 3: 72 })),
    Error,
    "mask.nii.gz lies otherwise than betas.nii.gz: along its axes voxels go by (-1.8, 0, 0), (0, 1.8, 0), (0, 0, 1.8) mm, " +
      "there by (1.8, 0, 0), (0, 1.8, 0), (0, 0, 1.8) mm; resample it to the same grid.",
  );
  assertThrows(() => of(changed({ 0: 0, 1: 1.8, 4: 1.8, 5: 0 })), Error, "lies otherwise");
  assertThrows(() => of(changed({ 0: 2, 5: 2, 10: 2 })), Error, "lies otherwise");
});
