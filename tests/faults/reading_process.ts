/** Processes that read files one after the other, with no rights but to read them. */

/** Most time of processors that a file may take, and the most memory that its reader may have meanwhile. */
export const MAX_MS = 10_000, MAX_BYTES = 1e9;
/** After this number of ms by the clock a reader is given up: no machine is that busy. */
const GIVE_UP_MS = 60_000;
/** What a process may keep from file to file before another one is taken. */
const MAX_KEPT = 2.5e8;
const ROOT = new URL("../../", import.meta.url).pathname;
const WORKER = new URL("./read_worker.ts", import.meta.url).pathname;

/** What became of a file. */
export interface Answer {
  /** The error's; null when it was read. */
  message: string | null;
  kind: string;
  /** Time of processors. */
  ms: number;
  /** Peak memory of the process while it read the file. */
  peak: number;
  /** Its memory afterwards. */
  kept: number;
}

/**
 * Reads files of a folder; in another process after a crash, when it takes too long, or when much memory is kept.
 *
 * @param readable what may be read beside the repository: HDF5 follows links through all folders above
 * @param folder of the files, in it
 */
export function startReader(readable: string, folder: string) {
  const rights = [
    `--allow-read=${readable},${ROOT}`,
    "--allow-ffi",
    "--allow-env",
    "--allow-sys",
    "--deny-net",
    "--deny-run",
    "--deny-write",
  ];
  const start = () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "--no-prompt", ...rights, WORKER],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    return {
      child,
      writer: child.stdin.getWriter(),
      answers: child.stdout.pipeThrough(new TextDecoderStream()).getReader(),
      text: "",
    };
  };
  const end = ({ child, writer, answers }: ReturnType<typeof start>) => {
    try {
      child.kill("SIGKILL");
    } catch { /* ended already */ }
    writer.abort().catch(() => {});
    answers.cancel().catch(() => {});
  };
  let own = start();
  const answerTo = async (question: string): Promise<Answer> => {
    await own.writer.write(new TextEncoder().encode(question + "\n"));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      own.child.kill("SIGKILL");
    }, GIVE_UP_MS);
    try {
      while (true) {
        const [line, ...rest] = own.text.split("\n");
        if (rest.length > 0) {
          own.text = rest.join("\n");
          if (line.startsWith("@")) return JSON.parse(line.slice(1));
          continue;
        }
        const { value, done } = await own.answers.read();
        if (done) {
          const { code, signal } = await own.child.status;
          own = start();
          const message = late ? "it did not end" : `the process ended with ${signal ?? code}`;
          return { message, kind: "crash", ms: late ? GIVE_UP_MS : 0, peak: 0, kept: 0 };
        }
        own.text += value;
      }
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    async read(format: string, path: string): Promise<Answer> {
      const answer = await answerTo(JSON.stringify({ format, path, folder }));
      if (answer.kept > MAX_KEPT) {
        end(own);
        own = start();
      }
      return answer;
    },
    end: () => end(own),
  };
}
