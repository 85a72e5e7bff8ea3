import { assertEquals, assertThrows } from "@std/assert";
import type * as hdf5 from "h5wasm";
import { inflateSync } from "node:zlib";
import { findDataset, openHdf5 } from "../../../src/data/formats/hdf5.ts";
import golden from "../../golden/virtual_hdf5.json" with { type: "json" };
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

Deno.test("findDataset() refuses a virtual dataset with missing sources, of which HDF5 reads zeros", () =>
  inTemporaryFolder(async (dir) => {
    for (const [name, bytes] of Object.entries(golden.files)) {
      await Deno.writeFile(`${dir}/${name}`, inflateSync(Uint8Array.fromBase64(bytes)));
    }
    /** Opens a file and reads its betas, past the check or not. */
    const read = async (name: string, past = false) => {
      const { file } = await openHdf5(`${dir}/${name}`);
      try {
        const dataset = past ? file.get("betas") as hdf5.Dataset : findDataset(file, "betas")!.dataset;
        return Array.from(dataset.value as Int16Array);
      } finally {
        file.close();
      }
    };
    for (const name of ["all.hdf5", "nested.hdf5"]) {
      assertEquals(await read(name), golden.read.whole.flat());
    }
    await Deno.mkdir(`${dir}/elsewhere`);
    await Deno.rename(`${dir}/run1.hdf5`, `${dir}/elsewhere/run1.hdf5`);
    assertEquals(await read("all.hdf5", true), golden.read.without.flat());
    const { file } = await openHdf5(`${dir}/all.hdf5`), nested = await openHdf5(`${dir}/nested.hdf5`);
    try {
      for (const one of [file, nested.file]) {
        assertEquals(
          assertThrows(() => findDataset(one, "betas"), Error).message.replaceAll(dir, "DIR"),
          "betas of DIR/all.hdf5 is virtual, and 1 of its 3 sources cannot be read (run1.hdf5), where HDF5 would give zeros: " +
            "put them where the file expects them, or write it as a plain dataset.",
        );
      }
    } finally {
      file.close();
      nested.file.close();
    }
  }));
