import { assertEquals } from "@std/assert";
import { cellOf, claimOf, modelsWith } from "../../../src/experiments/shared/claim_cells.ts";
import alarms from "../../../src/experiments/shared/false_alarms.json" with { type: "json" };
import { SIMULATIONS } from "../../simulations/mod.ts";

const PLACE = { model: "clip", unit: "of r" };
const effect = (p: number, n = 20) => ({ effect: 1, low: 0.5, high: 2, p, n });

Deno.test("cellOf() follows from p alone: at most 0.01, or the least that signs of five or six units allow", () => {
  const verdict = (found: Parameters<typeof cellOf>[1]) => cellOf(PLACE, found).verdict;
  assertEquals([verdict(effect(0.01)), verdict(effect(0.011))], ["shown", "not shown"]);
  assertEquals(verdict({ ...effect(0.001), low: -1 }), "shown");
  assertEquals(verdict({ ...effect(1 / 32, 5), exact: true }), "shown");
  assertEquals(verdict({ ...effect(2 / 32, 5), exact: true }), "not shown");
  assertEquals(verdict(effect(1 / 32, 5)), "not shown"); // no test of signs
  assertEquals([verdict(effect(0.001, 4)), verdict(undefined)], ["not testable", "not testable"]);
  assertEquals(cellOf(PLACE, effect(0.001, 4)).note, "needs 5 independent units");
});

Deno.test("claimOf() is shown, partly or not shown by the cells that can be tested", () => {
  const cells = [effect(0.001), effect(0.5), undefined].map((found) => cellOf(PLACE, found));
  const verdict = (...of: number[]) =>
    claimOf({ id: "a", paper: "p", measured: "m", statistic: "s", cells: of.map((i) => cells[i]) }).verdict;
  assertEquals([verdict(0, 2), verdict(0, 1, 2), verdict(1), verdict(2)], [
    "shown",
    "partly",
    "not shown",
    "not testable",
  ]);
  assertEquals([modelsWith(cells, "shown"), modelsWith([], "shown")], ["clip", "none"]);
});

const counts: Record<string, Record<string, number[]>> = alarms.alarms;
/** Simulations without the effect that are made again here; the others are those of `./run false-alarms`. */
const AGAIN = 4, PLANTED = 2;

for (const [name, simulation] of Object.entries(SIMULATIONS)) {
  Deno.test(`${name}: every claim is shown where its effect is planted, and in at most 5 of 100 simulations without`, async () => {
    for (let seed = 0; seed < PLANTED; seed++) {
      for (const { id, verdict } of await simulation(seed, true)) {
        assertEquals([seed, id, verdict], [seed, id, "shown"]);
      }
    }
    for (let seed = 0; seed < AGAIN; seed++) {
      for (const { id, verdict } of await simulation(seed, false)) {
        const isAlarm = verdict === "shown" || verdict === "partly";
        assertEquals([seed, id, isAlarm], [seed, id, counts[name][id].includes(seed)]);
      }
    }
    for (const [id, seeds] of Object.entries(counts[name])) {
      assertEquals([id, alarms.simulations - seeds.length >= 95], [id, true]);
    }
  });
}
