/** The process of one work of ours: reads requests, one JSON object a line, and answers them. */
import { closeGpu, type Gpu, openGpu, timeKernels } from "../../src/gpu/mod.ts";
import { peakResidentMb } from "../../src/experiments/shared/peak_memory.ts";
import { type Answer, answerRequests, type Request } from "./messages.ts";
import { doubleSoftwareThreads } from "../shared/software_threads.ts";
import type { OpenWork } from "./work.ts";
import { openOf, planOf } from "./works.ts";

/** Most MB resident; what the system counts for the process would begin at what the harness held that started it. */
async function peakMb(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const kilobytes = /VmHWM:\s*(\d+)/.exec(status)?.[1];
  return kilobytes ? Math.round(Number(kilobytes) / 1024) : peakResidentMb();
}

console.log = console.error; // the harness reads standard output

let gpu: Gpu | undefined, work: OpenWork | undefined;

async function answer(request: Request): Promise<Answer> {
  switch (request.do) {
    case "open": {
      doubleSoftwareThreads();
      gpu = await openGpu({ adapter: Deno.args[0] as "hardware" | "software" | undefined });
      work = await openOf(planOf(request.work))(gpu, request.files, request.options, request.as);
      return { version: `Deno ${Deno.version.deno}`, device: gpu.adapter.description };
    }
    case "run": {
      const { run, warm, seconds } = work!;
      const started = performance.now();
      const figures = await (request.warm && warm ? warm() : run());
      const wall = (performance.now() - started) / 1000;
      const peak = { peakMb: await peakMb(), gpuMb: Math.round(gpu!.memory.peak / 2 ** 20) };
      if (request.warm) return peak;
      return { seconds: seconds?.() ?? wall, figures: (figures ?? {}) as Record<string, number>, ...peak };
    }
    case "save":
      if (!work!.save) return {};
      return { figures: (await work!.save(request.path)) ?? {} };
    case "profile": {
      const { run, profiled = run } = work!;
      return { kernels: await timeKernels(gpu!, async () => void await profiled()) };
    }
    case "close":
      if (gpu) closeGpu(gpu);
      return {};
  }
}

await answerRequests(answer);
