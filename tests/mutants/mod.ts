/** All faults that `./run mutate` makes, and that the tests should notice. */
import { ALIGN } from "./align.ts";
import { DATA } from "./data.ts";
import { EMBED } from "./embed.ts";
import { EXPERIMENTS } from "./experiments.ts";
import { GPU } from "./gpu.ts";
import { GRAPH } from "./graph.ts";
import { LINALG } from "./linalg.ts";
import { REPORT } from "./report.ts";
import { SCRIPTING } from "./scripting.ts";
import { SHADERS } from "./shaders.ts";
import { TASKS } from "./tasks.ts";
import type { Mutant } from "./mutant.ts";

export type { Mutant } from "./mutant.ts";

export const MUTANTS: readonly Mutant[] = [
  ...GPU,
  ...LINALG,
  ...GRAPH,
  ...EMBED,
  ...ALIGN,
  ...DATA,
  ...EXPERIMENTS,
  ...REPORT,
  ...SCRIPTING,
  ...SHADERS,
  ...TASKS,
];
