/** The part of cli-progress that `progress.ts` uses; the package has no types. */
export interface Bar {
  start(total: number, startValue: number, payload: Record<string, string>): void;
  update(value: number, payload: Record<string, string>): void;
  stop(): void;
}
declare const cliProgress: { SingleBar: new (options: Record<string, unknown>) => Bar };
export default cliProgress;
