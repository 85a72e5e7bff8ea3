/** `./run false-alarms`: how often each claim is called shown, in part or as a whole, in small simulations without its effects. */
import { listOf } from "../../src/cli/option_kinds.ts";
import { type Parsed, runCommand } from "../../src/cli/options.ts";
import { type Simulation, SIMULATIONS } from "../../tests/simulations/mod.ts";

/** The task and its options. */
export const COMMAND = {
  task: "false-alarms",
  about:
    "Tests each experiment's claims in 100 small simulations without their effects, and writes which simulations showed them to src/experiments/shared/false_alarms.json, which the pages read",
  options: {
    only: listOf(Object.keys(SIMULATIONS), {
      help: "experiments; the others keep their numbers",
      shown: "all",
    }),
  },
};

/** Simulations of each experiment. */
const COUNT = 100;

const OUT = new URL("../../src/experiments/shared/false_alarms.json", import.meta.url);

/** Seeds of the simulations in which each claim was shown, by experiment. */
type Alarms = Record<string, Record<string, number[]>>;

async function falseAlarms({ options: { only: names } }: Parsed<typeof COMMAND.options>): Promise<void> {
  const earlier: Alarms = JSON.parse(await Deno.readTextFile(OUT)).alarms, alarms: Alarms = {};
  for (const [name, simulation] of Object.entries(SIMULATIONS)) {
    const started = performance.now();
    alarms[name] = names.length === 0 || names.includes(name) ? await alarmsOf(simulation) : earlier[name];
    const counts = Object.entries(alarms[name]).map(([id, seeds]) => `${id} ${seeds.length}`);
    console.log(`${name}, ${((performance.now() - started) / 1000).toFixed(0)} s: ${counts.join(", ")}`);
  }
  await Deno.writeTextFile(OUT, JSON.stringify({ simulations: COUNT, alarms }, null, 2) + "\n");
}

async function alarmsOf(simulation: Simulation): Promise<Alarms[string]> {
  const own: Alarms[string] = {};
  for (let seed = 0; seed < COUNT; seed++) {
    for (const { id, verdict } of await simulation(seed, false)) {
      own[id] ??= [];
      if (verdict === "shown" || verdict === "partly") own[id].push(seed);
    }
  }
  return own;
}

if (import.meta.main) await runCommand(COMMAND, falseAlarms);
