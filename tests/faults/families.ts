/** All families of faults, in the order of the campaign. */
import { damagedCache } from "./damaged_cache.ts";
import { determinism } from "./determinism.ts";
import { disk } from "./disk.ts";
import type { FaultFamily } from "./family.ts";
import { gpuFaults } from "./gpu.ts";
import { graphs } from "./graphs.ts";
import { hostileFiles } from "./hostile_files.ts";
import { kills } from "./kills.ts";
import { numbers } from "./numbers.ts";
import { options } from "./options.ts";
import { permissions } from "./permissions.ts";
import { soak } from "./soak.ts";
import { spectra } from "./spectra.ts";

/** By name. */
export const FAMILIES: FaultFamily[] = [
  hostileFiles,
  graphs,
  numbers,
  spectra,
  gpuFaults,
  permissions,
  options,
  determinism,
  disk,
  damagedCache,
  kills,
  soak,
];
