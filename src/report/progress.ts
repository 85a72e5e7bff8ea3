// @ts-types="./cli_progress.d.ts"
import cliProgress from "cli-progress";
import process from "node:process";

/** One stage's progress display. */
export interface Progress {
  /** Says that `done` of the total are done, parts of one included; `note` says what is being worked on. */
  tick(done: number, note?: string): void;
  /** Ends the display; call it also when the stage fails. */
  finish(): void;
}

/** Of a stage whose steps are hundredths of its work. */
export const PERCENT = "%";

/** Where plain progress lines go and what time it is, in milliseconds; given by tests only. */
export interface ProgressOutput {
  write(line: string): void;
  now(): number;
}

const stderrOutput: ProgressOutput = {
  write: (line) => console.error(line),
  now: () => performance.now(),
};

/**
 * Shows the progress of a stage on stderr: a bar with the time left on a terminal, else plain lines, at most
 * one per 10 % (and per second) or one per 5 s.
 * @param label What the stage does, for instance `extract`.
 * @param total Number of steps; 0 is allowed, and a fraction is written as the next whole number.
 * @param unit What a step is, for instance `images`; `PERCENT` where steps are only shares.
 * @param output Forces plain lines, to the output given.
 * @returns `tick` to move it and `finish` to end it.
 */
export function openProgress(label: string, total: number, unit: string, output?: ProgressOutput): Progress {
  return output === undefined && Deno.stderr.isTerminal()
    ? openBar(label, total, unit)
    : openLines(label, total, unit, output ?? stderrOutput);
}

function openBar(label: string, total: number, unit: string): Progress {
  const steps = unit === PERCENT ? "" : ` · {whole}/${Math.ceil(total)} ${unit}`;
  const bar = new cliProgress.SingleBar({
    format: `${label.padEnd(12)} {bar} {percentage} %${steps} · {eta_formatted} left {note}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    stopOnComplete: false,
    emptyOnZero: true,
    stream: process.stderr,
  });
  bar.start(total, 0, { note: "", whole: "0" });
  return {
    tick: (done, note = "") => bar.update(done, { note, whole: String(Math.floor(done)) }),
    finish: () => bar.stop(),
  };
}

function openLines(label: string, total: number, unit: string, { write, now }: ProgressOutput): Progress {
  const start = now();
  let shownAt = start, shownTenth = 0, done = 0;
  const all = Math.ceil(total);
  return {
    tick(reached, note) {
      done = reached;
      const tenth = total > 0 ? Math.floor((10 * done) / total) : 10;
      const elapsed = now() - shownAt;
      if (done >= total || !(elapsed >= 5000 || (tenth > shownTenth && elapsed >= 1000))) return;
      const left = ((now() - start) / 1000) * (total / Math.max(done, 1) - 1);
      const steps = unit === PERCENT ? [] : [`${Math.floor(done)}/${all} ${unit}`];
      const parts = [...steps, ...(done > 0 ? [`${formatSeconds(left)} left`] : [])].join(", ");
      const percent = Math.floor((100 * done) / total);
      write(`${label}: ${percent} %${parts && ` (${parts})`}${note ? ` ${note}` : ""}`);
      [shownAt, shownTenth] = [now(), tenth];
    },
    finish() {
      const isWhole = done >= total, isShare = unit === PERCENT;
      const state = isShare
        ? isWhole ? "done" : `stopped at ${Math.floor(done)} %`
        : isWhole
        ? `${all} ${unit} done`
        : `stopped at ${Math.floor(done)} of ${all} ${unit}`;
      write(`${label}: ${state} in ${formatSeconds((now() - start) / 1000)}`);
    },
  };
}

/**
 * Writes a duration for people.
 * @param seconds Duration in seconds.
 * @returns `0.4 s`, `12 s` or `3 min 20 s`.
 */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
