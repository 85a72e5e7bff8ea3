import { closeGpu, openGpu } from "./mod.ts";
import { openRunData } from "./tasks/open_data.ts";
import { sampleUniversality, universality } from "./src/experiments/universality.ts";
import { loadAlign } from "./src/data/align_file.ts";
import { doubleSoftwareThreads } from "./tasks/software_threads.ts";
const data = await openRunData({ folders: {}, models: [] } as any, { limit: 100, quick: false, cache: ".cache", timings: {} } as any);
doubleSoftwareThreads();
const s = await sampleUniversality(data.models, data.images, data.classes, 0);
console.log(s.images, s.joint, s.slots.length);
const gpu = await openGpu();
for (const f of Deno.readDirSync(".cache/align")) if (/^align-.*arrow$/.test(f.name)) { const a = await loadAlign(`.cache/align/${f.name}`); if (a.options.alignment === "ridge" || (a.options as any).lambdaEigen === 1) console.log(JSON.stringify(a.options), await universality(gpu, s, a.model)); }
console.log(await universality(gpu, s));
closeGpu(gpu);
