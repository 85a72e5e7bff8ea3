import { assertEquals } from "@std/assert";
import { FAMILIES } from "../faults/families.ts";
import { testSeed } from "../support/random.ts";

for (const { name, title, run } of FAMILIES) {
  Deno.test(`faults, ${name}: ${title}`, async () => {
    const { failures } = await run({ quick: true, seed: testSeed % 2 ** 20, report: () => {} });
    assertEquals(failures, [], `seed ${testSeed}`);
  });
}
