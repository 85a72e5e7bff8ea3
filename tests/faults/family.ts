/** What a family of faults is: things are broken on purpose, and what happens is judged. */

/** How much of a family to run. */
export interface FaultOptions {
  /** The short form, for the test suite. */
  quick: boolean;
  seed: number;
  /** Called with what is being done. */
  report(line: string): void;
}

/** What became of it. */
export interface FaultReport {
  tried: number;
  /** One sentence for each that was not borne. */
  failures: string[];
  /** More figures, by name. */
  figures?: Record<string, string>;
}

/** A family of faults. */
export interface FaultFamily {
  name: string;
  /** What is broken, in one line. */
  title: string;
  run(options: FaultOptions): Promise<FaultReport>;
}

/** Why a message is not one clear sentence for people, or null. */
export function unclear(message: string): string | null {
  if (message.length > 600) return "it is long";
  if (/\n/.test(message.trim())) return "it has several lines";
  if (!/[.:…)]$/.test(message.trim())) return "it is no sentence";
  if (/undefined|\[object|Cannot read prop|is not (a function|iterable)|of null/.test(message)) {
    return "it is the engine's";
  }
  return null;
}
