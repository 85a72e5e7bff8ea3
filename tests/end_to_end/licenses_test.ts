import { assert, assertEquals } from "@std/assert";
import { listLicenses } from "../../tasks/maintenance/licenses.ts";

Deno.test("every installed package may be used freely", async () => {
  const all = await listLicenses();
  assert(all.length > 80, `${all.length} packages`);
  assertEquals(all.filter(({ isFree }) => !isFree), []);
});
