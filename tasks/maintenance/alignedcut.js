#!/usr/bin/env node
// The command `alignedcut` of the package that `./run pack` makes: runs a task by Deno, in the folder where it is typed.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

// Beside it in the package only.
const { unknownTask } = await import(new URL("../tasks/maintenance/help.js", import.meta.url).href);
const PACKAGE = realpathSync(fileURLToPath(new URL("../", import.meta.url)));
/** The folder that the package and its dependencies lie in. */
const MODULES = PACKAGE.replace(/([/\\]node_modules)[/\\](?!.*[/\\]node_modules[/\\]).*$/, "$1");
const { tasks } = JSON.parse(readFileSync(join(PACKAGE, "deno.json"), "utf8"));

/** Deno 2.9 or later: what runs this, on the PATH, by its installer, or by npm beside the package; undefined where none is. */
function findDeno() {
  const beside = join(MODULES, "@deno");
  const byNpm = existsSync(beside) ? readdirSync(beside).map((name) => join(beside, name, "deno")) : [];
  for (const path of byNpm) if (existsSync(path)) chmodSync(path, 0o755); // npm without install scripts leaves that out
  const own = "Deno" in globalThis ? [process.execPath] : [];
  return [...own, "deno", join(homedir(), ".deno/bin/deno"), ...byNpm].find((path) => {
    const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
    const [, major, minor] = /^deno (\d+)\.(\d+)\./.exec(stdout ?? "") ?? [];
    return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 9);
  });
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}

const [task = "help", ...args] = process.argv.slice(2);
if (["help", "--help", "-h"].includes(task)) {
  const width = Math.max(...Object.keys(tasks).map((name) => name.length));
  console.log("npx alignedcut TASK [options]   run a task\nnpx alignedcut TASK --help      its options\n");
  for (const [name, { description }] of Object.entries(tasks)) {
    console.log(`  ${name.padEnd(width)}  ${description}`);
  }
  process.exit(0);
}
if (!Object.hasOwn(tasks, task)) stop(unknownTask(task, { tasks }));
const deno = findDeno() ??
  stop(
    "Deno 2.9 or later is needed and was not found: type `npm install deno` in this folder, or install Deno.",
  );
const words = tasks[task].command.split(" ").slice(2), file = words.pop().replace(/\.ts$/, ".js");
const rights = words.map((word) => word === "--allow-ffi=node_modules" ? `--allow-ffi=${MODULES}` : word);
const env = { DENO_NO_UPDATE_CHECK: "1", ...process.env };
// Where there is no Vulkan driver but OpenGL, Deno would compute by that, and Mesa's may crash as it ends.
if (process.platform === "linux") {
  env.DENO_WEBGPU_BACKEND ||= "vulkan";
  env.XDG_RUNTIME_DIR ||= tmpdir(); // else Wayland's library prints an error
}
const settings = ["--quiet", "--no-config", "--no-lock", "--node-modules-dir=manual"];
spawn(deno, [
  "run",
  ...settings,
  ...rights.filter((word) => word !== "--quiet"),
  join(PACKAGE, file),
  ...args,
], {
  stdio: "inherit",
  env,
}).on("exit", (code, signal) => process.exit(signal ? 1 : code));
