/** A participant of a measurement: a process of its own, asked one thing at a time. */
import { type Answer, eachLine, MARK, type Request } from "./messages.ts";

/** How a participant is started. */
export interface ParticipantProgram {
  /** As "scipy". */
  name: string;
  /** What it is asked to be, where that is not its name. */
  as?: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
}

/** A running participant. */
export interface Participant {
  name: string;
  /**
   * @throws Error what the participant says went wrong, or that it ended
   */
  ask(request: Request): Promise<Answer>;
  /** Ends the process if it still runs. */
  end(): Promise<void>;
}

/**
 * Starts a participant.
 *
 * @throws Error "scipy cannot be started (…): …" when there is no such program
 */
export function startParticipant({ name, command, args, env }: ParticipantProgram): Participant {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command, { args, env, stdin: "piped", stdout: "piped", stderr: "piped" })
      .spawn();
  } catch (error) {
    throw new Error(`${name} cannot be started (${(error as Error).message}): is ${command} there?`);
  }
  const errors = lastLines(child.stderr);
  const lines = eachLine(child.stdout);
  const writer = child.stdin.getWriter();
  let ended = false;
  const nextAnswer = async (): Promise<Answer> => {
    while (true) {
      const { value: line, done } = await lines.next();
      if (done) {
        ended = true;
        throw new Error(`${name} ended without an answer: ${(await errors).join(" ") || "it said nothing"}`);
      }
      if (line.startsWith(MARK)) return JSON.parse(line.slice(MARK.length));
    }
  };
  return {
    name,
    async ask(request) {
      await writer.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
      const answer = await nextAnswer();
      if (answer.error) throw new Error(`${name}: ${answer.error}`);
      return answer;
    },
    async end() {
      await writer.close().catch(() => {});
      if (!ended) {
        const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
        await child.status;
        clearTimeout(timer);
      }
      await errors;
    },
  };
}

/** The last three lines of a stream, when it has ended. */
async function lastLines(stream: ReadableStream<Uint8Array>): Promise<string[]> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) text = (text + part).slice(-4000);
  return text.split("\n").filter((line) => line.trim()).slice(-3);
}
