import { assertEquals } from "@std/assert";
import { type ColumnsOf, makeBatches, makeDataset } from "../../src/pipeline/node_batches.ts";
import { filesUnder } from "../support/files_under.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const SLOTS = ["a", "b"].map((model, at) => ({ model, layer: 3, first: 30 * at, rows: 30, tokens: 5 }));

/** Columns that say which node a row is, and which files were asked for. */
function columns(asked: string[]): ColumnsOf {
  return ({ path, firstNode, rows }) => {
    asked.push(path);
    return Promise.resolve({ nearest: Int32Array.from({ length: rows }, (_, at) => firstNode + at) });
  };
}

Deno.test("makeDataset() goes on after what is there, and makes files again that are lost, cut or altered by one bit", () =>
  inTemporaryFolder(async (dir) => {
    const asked: string[] = [];
    await makeDataset(dir, "colors", SLOTS, columns(asked), () => {});
    const whole = await filesUnder(dir), paths = asked.splice(0);
    assertEquals(paths.length, 2);
    const [path] = paths, file = `${dir}/colors/${path}`, bytes = await Deno.readFile(file);
    const altered = bytes.with(bytes.length >> 1, bytes[bytes.length >> 1] ^ 4);
    const harms = [
      () => Deno.remove(file),
      () => Deno.truncate(file, 100),
      () => Deno.writeFile(file, altered),
    ];
    for (const harm of harms) {
      await harm();
      await Deno.remove(`${dir}/colors.json`);
      await makeDataset(dir, "colors", SLOTS, columns(asked), () => {});
      assertEquals(asked.splice(0), [path]);
      assertEquals(await filesUnder(dir), whole);
    }
    await Deno.writeFile(file, altered);
    for (const task of [0, 1]) {
      await makeBatches(dir, "colors", SLOTS, columns(asked), { task, tasks: 2 });
    }
    assertEquals(asked, [path]);
    assertEquals(await Deno.readFile(file), bytes);
  }));
