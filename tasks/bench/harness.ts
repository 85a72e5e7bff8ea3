/** Measures one work: every participant in a process of its own, taking turns. */
import type { Gpu } from "../../src/gpu/mod.ts";
import type { KernelTime } from "../../src/gpu/timing.ts";
import type { Answer, WorkOptions } from "./messages.ts";
import { type Participant, type ParticipantProgram, startParticipant } from "./participant.ts";
import { pairedRatio, type Spread, spreadOf } from "./statistics.ts";
import type { Cost, Figures, WorkPlan } from "./work_plan.ts";

/** What one participant was measured to do. */
export interface Measured {
  name: string;
  version: string;
  device: string;
  /** Seconds of every round. */
  rounds: number[];
  seconds: Spread;
  /** How many times our seconds: above 1 it is slower than we are; of the rounds that both took part in. */
  ratio: number;
  /** Most MB resident. */
  peakMb?: number;
  /** Most MB of GPU buffers, where it counts them. */
  gpuMb?: number;
  figures: Record<string, number>;
}

/** What a work was measured to take. */
export interface WorkResult {
  name: string;
  title: string;
  options: WorkOptions;
  /** Ours first. */
  measured: Measured[];
  /** Why others did not take part, by name. */
  absent: Record<string, string>;
  cost?: Cost;
  /** GPU time of our kernels, longest first; empty where the adapter cannot tell. */
  kernels: KernelTime[];
}

/** What is measured and how. */
export interface Measurement {
  plan: WorkPlan;
  options: WorkOptions;
  /** A participant's program by its name. */
  programs: ParticipantProgram[];
  /** Why others will not take part. */
  absent: Record<string, string>;
  rounds: number;
  /** For inputs and results; emptied by the caller. */
  folder: string;
  /** The judge's device. */
  openJudge(): Promise<Gpu>;
  closeJudge(gpu: Gpu): void;
  report(line: string): void;
}

/** Opens every participant, warms it up, lets all take turns for N rounds, and judges their results alike. */
export async function measureWork(measurement: Measurement): Promise<WorkResult> {
  const { plan, options, programs, rounds, folder, report } = measurement;
  const absent = { ...measurement.absent }, files = await plan.prepare(folder, options);
  const racing: Racer[] = [];
  try {
    for (const program of programs) {
      const racer = await enter(program, plan, files, options).catch((error) => (error as Error).message);
      if (typeof racer === "string") absent[program.name] = racer;
      else racing.push(racer);
    }
    const ours = racing.find(({ participant }) => participant.name === plan.own[0]);
    if (!ours) throw new Error(`${plan.name} cannot be measured: ${absent[plan.own[0]]}`);
    for (let round = 0; round < rounds; round++) {
      for (const racer of [...racing]) {
        const most = plan.fewer?.[racer.participant.name] ?? rounds;
        if (round >= most) continue;
        try {
          keep(racer, await racer.participant.ask({ do: "run" }));
          report(`${plan.name}, ${racer.participant.name}: ${racer.rounds.at(-1)!.toFixed(4)} s`);
        } catch (error) {
          if (racer === ours) throw error;
          absent[racer.participant.name] = (error as Error).message;
          racing.splice(racing.indexOf(racer), 1);
          await racer.participant.end();
        }
      }
    }
    const results: Record<string, string> = {};
    for (const [at, { participant, figures }] of racing.entries()) {
      const path = `${folder}/result-${at}.npy`;
      Object.assign(figures, (await participant.ask({ do: "save", path })).figures);
      if (await exists(path)) results[participant.name] = path;
    }
    const { kernels = [] } = await ours.participant.ask({ do: "profile" });
    for (const { participant } of racing) await participant.ask({ do: "close" });
    for (const { participant } of racing) await participant.end();
    if (await exists(`${folder}/exact.npy`)) files.exact = `${folder}/exact.npy`;
    const judged = await judge(measurement, results, files);
    return {
      name: plan.name,
      title: plan.title,
      options,
      absent,
      cost: plan.cost?.(options),
      kernels,
      measured: racing.map((racer) => measuredOf(racer, ours, judged)),
    };
  } finally {
    for (const { participant } of racing) await participant.end();
  }
}

/** A participant and what it has done so far. */
interface Racer extends Pick<Measured, "rounds" | "peakMb" | "gpuMb" | "figures"> {
  participant: Participant;
  opened: Answer;
}

/** @returns the participant, warmed up, or why it is absent */
async function enter(
  program: ParticipantProgram,
  plan: WorkPlan,
  files: Record<string, string>,
  options: WorkOptions,
): Promise<Racer | string> {
  const participant = startParticipant(program), { name, as = name } = program;
  const open = (work: string) => participant.ask({ do: "open", work, as, files, options });
  try {
    // A build from before the work was there opens the one that is like it.
    const opened = await open(plan.name).catch((error) => {
      if (program.as && plan.like) return open(plan.like);
      throw error;
    });
    if (opened.absent) {
      await participant.end();
      return opened.absent;
    }
    await participant.ask({ do: "run", warm: true });
    return { participant, opened, rounds: [], figures: {} };
  } catch (error) {
    await participant.end();
    throw error;
  }
}

function keep(racer: Racer, { seconds, peakMb, gpuMb, figures }: Answer): void {
  racer.rounds.push(seconds!);
  racer.peakMb = peakMb ?? racer.peakMb;
  racer.gpuMb = gpuMb ?? racer.gpuMb;
  Object.assign(racer.figures, figures);
}

async function judge(
  { plan, options, openJudge, closeJudge }: Measurement,
  results: Record<string, string>,
  files: Record<string, string>,
): Promise<Figures> {
  if (!plan.judge || Object.keys(results).length === 0) return {};
  const gpu = await openJudge();
  try {
    return await plan.judge(gpu, results, files, options);
  } finally {
    closeJudge(gpu);
  }
}

function measuredOf(racer: Racer, ours: Racer, judged: Figures): Measured {
  const { participant: { name }, opened, rounds, peakMb, gpuMb, figures } = racer;
  return {
    name,
    version: opened.version ?? "",
    device: opened.device ?? "",
    rounds,
    peakMb,
    gpuMb,
    seconds: spreadOf(rounds),
    ratio: pairedRatio(rounds, ours.rounds.slice(0, rounds.length)),
    figures: { ...figures, ...judged[name] },
  };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
