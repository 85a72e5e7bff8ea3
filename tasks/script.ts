/** `./run script FILE`: a script of one's own with the package and its configuration, in the folder where it is typed. */
import { isAbsolute, join } from "node:path";
import { helpOf, runTask } from "../src/cli/options.ts";

/** The task; the options are those of the script. */
export const COMMAND = {
  task: "script",
  usage: "./run script FILE.ts [options of the script]",
  about:
    'Runs a script that imports "@alignedcut/alignedcut", wherever it lies, in the folder where this is typed. It ' +
    "may do all that you may. `./run new NAME` writes one to start from; `./run script FILE.ts --help` prints a " +
    "script's own options.",
  options: {},
};

const CONFIG = new URL("../deno.json", import.meta.url).pathname;

async function script(): Promise<void> {
  const [file, ...args] = Deno.args, cwd = Deno.env.get("INIT_CWD") || Deno.cwd();
  if (file === undefined || file === "--help" || file === "-h") return console.log(helpOf(COMMAND));
  if (file.startsWith("-")) {
    throw new RangeError(`There is no option ${file} before the script: write ./run script FILE.ts ${file}.`);
  }
  const path = isAbsolute(file) ? file : join(cwd, file);
  const stat = await Deno.stat(path).catch(() => null);
  if (!stat?.isFile || !/\.[jt]s$/.test(path)) {
    const why = !stat ? "there is no such file" : stat.isFile ? "it is no .ts or .js file" : "it is no file";
    throw new Error(`Cannot run ${path}: ${why}; \`./run new NAME\` writes a script to start from.`);
  }
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", "--frozen", `--config=${CONFIG}`, path, ...args],
    cwd,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  Deno.exit(code);
}

if (import.meta.main) await runTask(script);
