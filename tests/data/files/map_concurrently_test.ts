import { assert, assertEquals, assertRejects } from "@std/assert";
import { mapConcurrently } from "../../../src/data/files/map_concurrently.ts";

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("mapConcurrently keeps the order of the jobs whatever order they end in, and never runs more than it has lanes", async () => {
  let running = 0, most = 0;
  const results = await mapConcurrently(7, 3, async (index) => {
    most = Math.max(most, ++running);
    for (let i = 0; i < 7 - index; i++) await turn();
    running--;
    return index * index;
  });
  assertEquals(results, [0, 1, 4, 9, 16, 25, 36]);
  assertEquals(most, 3);
  assertEquals(await mapConcurrently(0, 3, () => Promise.resolve(1)), []);
});

Deno.test("mapConcurrently throws what a job throws, only after the jobs begun have ended, and begins no more", async () => {
  const begun: number[] = [], ended: number[] = [];
  await assertRejects(
    () =>
      mapConcurrently(6, 2, async (index) => {
        begun.push(index);
        await turn();
        if (index === 1) throw new Error("job 1 broke");
        await turn();
        ended.push(index);
      }),
    Error,
    "job 1 broke",
  );
  assert(begun.length < 6);
  assertEquals(ended, begun.filter((index) => index !== 1));
});
