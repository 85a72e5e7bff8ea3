/** What tasks are allowed, and that they need no more: the network is denied, and writing anywhere but where they are told to. */
import config from "../../deno.json" with { type: "json" };
import type { FaultFamily } from "./family.ts";
import { smallRun } from "./small_run.ts";

/** Tasks that may start other programs, those that may start Slurm's only, and those that may reach the network. */
const SLURM = ["sbatch", "squeue"],
  MAY_SUBMIT = ["reproduce", "status"],
  MAY_RUN = ["test", "bench", "bench:graph", "faults", "doc"],
  MAY_REACH = ["models"];

export const permissions: FaultFamily = {
  name: "permissions",
  title: "the rights of every task, and a run with the network and other folders denied",
  async run({ tell }) {
    const failures: string[] = [];
    let tried = 0;
    const check = (isRight: boolean, what: string) => {
      tried++;
      if (!isRight) failures.push(what);
    };
    for (const [name, { command }] of Object.entries(config.tasks)) {
      check(!/ -A\b|--allow-all/.test(command), `${name} asks for all rights`);
      const [, programs] = /--allow-run=?(\S*)/.exec(command) ?? [];
      const isSlurm = MAY_SUBMIT.includes(name) && programs?.split(",").every((own) => SLURM.includes(own));
      check(programs === undefined || isSlurm || MAY_RUN.includes(name), `${name} may start programs`);
      check(!/--allow-net/.test(command) || MAY_REACH.includes(name), `${name} may reach the network`);
    }
    const folder = await Deno.makeTempDir({ prefix: "alignedcut-rights-" });
    try {
      const rights = [
        "--allow-read",
        "--allow-env",
        "--allow-ffi",
        "--allow-sys",
        "--deny-net",
        "--deny-run",
      ];
      const within = [...rights, `--allow-write=${folder}/out,${folder}/cache`];
      const { code, said } = await smallRun({ folder, permissions: within });
      check(code === 0, `with writing allowed under out and cache only: ${said}`);
      const left = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
      check(left.join() === "cache,out", `beside out and cache it wrote ${left}`);
      const denied = await smallRun({
        folder,
        permissions: [...rights, `--allow-write=${folder}/cache`],
        args: ["--out", "elsewhere"],
      });
      check(
        denied.code === 1 && /elsewhere/.test(denied.said),
        `a folder that is denied: exit code ${denied.code}, ${denied.said}`,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    tell(`${tried} rights`);
    return { tried, failures };
  },
};
