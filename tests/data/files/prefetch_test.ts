import { assertEquals, assertRejects } from "@std/assert";
import { prefetch } from "../../../src/data/files/prefetch.ts";

const pause = () => new Promise((resolve) => setTimeout(resolve, 2));

Deno.test("prefetch() computes the next while the last is used, one at a time, in order", async () => {
  const log: string[] = [];
  let running = 0;
  const work = async (i: number) => {
    assertEquals(++running, 1);
    log.push(`start ${i}`);
    await pause();
    running--;
    return i;
  };
  for await (const i of prefetch([0, 1, 2], work)) log.push(`use ${i}`);
  assertEquals(log, ["start 0", "start 1", "use 0", "start 2", "use 1", "use 2"]);
  assertEquals(await Array.fromAsync(prefetch([], work)), []);
});

Deno.test("prefetch() throws what the work throws, in its turn, and leaves nothing running", async () => {
  const used: number[] = [];
  let running = 0;
  const work = async (i: number) => {
    running++;
    await pause();
    running--;
    if (i === 2) throw new Error("item 2");
    return i;
  };
  await assertRejects(
    async () => {
      for await (const i of prefetch(prefetch([0, 1, 2, 3], (i) => Promise.resolve(i)), work)) used.push(i);
    },
    Error,
    "item 2",
  );
  assertEquals([used, running], [[0, 1], 0]);
  for await (const _ of prefetch([0, 1, 3], work)) break;
  assertEquals(running, 0);
});

Deno.test("prefetch() computes N ahead while the last is used, and no more", async () => {
  let running = 0, most = 0;
  const work = async (i: number) => {
    most = Math.max(most, ++running);
    await pause();
    running--;
    return i;
  };
  assertEquals(await Array.fromAsync(prefetch([0, 1, 2, 3, 4], work, 3)), [0, 1, 2, 3, 4]);
  assertEquals(most, 3);
});
