/** Which program each participant is, and which are absent. */
import type { Baseline } from "./baseline.ts";
import type { ParticipantProgram } from "./participant.ts";
import type { Peer, WorkPlan } from "./work_plan.ts";

const HERE = (path: string) => new URL(path, import.meta.url).pathname;

/** How peers are looked for. */
export interface PeerOptions {
  /** Whether they are to take part. */
  peers: boolean;
  /** The Python to run them; undefined where there is none. */
  python?: string;
  /** Adapter asked for, if any. */
  adapter?: string;
  /** Another build of ours that takes part. */
  baseline?: Baseline;
}

/** Those who take part in a work, ours first, and why the others do not. */
export async function programsOf(
  plan: WorkPlan,
  options: PeerOptions,
): Promise<{ programs: ParticipantProgram[]; absent: Record<string, string> }> {
  const { adapter, baseline } = options, programs = plan.own.map((name) => ownProgram(name, adapter));
  if (baseline) programs.push(baselineProgram(baseline, plan, adapter));
  const absent: Record<string, string> = {};
  for (const peer of plan.peers) {
    const found = options.peers ? await peerProgram(peer, options) : "not asked for: --peers";
    if (typeof found === "string") absent[peer.name] = found;
    else programs.push(found);
  }
  return { programs, absent };
}

function ownProgram(name: string, adapter?: string): ParticipantProgram {
  // All rights, since Deno lets no other process read its own memory from /proc.
  const args = ["run", "--quiet", "--allow-all", HERE("serve_work.ts"), ...(adapter ? [adapter] : [])];
  return { name, command: Deno.execPath(), args };
}

/** Ours of another commit, with this one's packages: its own may not be installed. */
function baselineProgram({ commit, folder }: Baseline, { own: [as] }: WorkPlan, adapter?: string) {
  const args = [
    "run",
    "--quiet",
    "--frozen",
    "--cached-only",
    "--allow-all",
    "--config",
    HERE("../../deno.json"),
  ];
  args.push(`${folder}/tasks/bench/serve_work.ts`, ...(adapter ? [adapter] : []));
  return { name: `build ${commit}`, as, command: Deno.execPath(), args };
}

async function peerProgram({ name, runtime }: Peer, { python }: PeerOptions) {
  if (runtime === "python") return python ? pythonProgram(python, name) : "no Python: --python PATH";
  const installed = await Deno.stat(HERE("peers/node_modules")).then(() => true, () => false);
  if (!installed) return "not installed: npm ci --prefix tasks/bench/peers";
  const args = ["run", "--quiet", "--allow-all", HERE("peers/javascript_peers.ts"), name];
  return { name, command: Deno.execPath(), args };
}

/** A peer in Python. */
export function pythonProgram(python: string, name: string): ParticipantProgram {
  return { name, command: python, args: [HERE("peers/peers.py"), name] };
}

/**
 * The Python to use: as given, that of ALIGNEDCUT_PYTHON, or python3 where it runs.
 *
 * @throws Error "--python x cannot be run." when the one given cannot
 */
export async function findPython(given?: string): Promise<string | undefined> {
  const wanted = given ?? Deno.env.get("ALIGNEDCUT_PYTHON");
  const runs = await new Deno.Command(wanted ?? "python3", {
    args: ["--version"],
    stdout: "null",
    stderr: "null",
  })
    .output().then(({ success }) => success, () => false);
  if (runs) return wanted ?? "python3";
  if (wanted) throw new Error(`The Python ${wanted} cannot be run: give its path, --python PATH.`);
  return undefined;
}
