/** `./run new NAME`: a commented script to start from, `scripts/NAME.ts`. */
import { reasonOf } from "../../src/data/files/atomic_write.ts";
import { helpOf, runTask } from "../../src/cli/options.ts";
import starter from "../starter.ts" with { type: "text" };

const SCRIPTS = new URL("../../scripts", import.meta.url).pathname;

/** The task; it takes a name. */
export const COMMAND = {
  task: "new",
  usage: "./run new NAME",
  about: "Writes scripts/NAME.ts, a commented script to start from; one that is there is left alone.",
  options: {},
};

/**
 * Writes a script to start from; one that is there is left alone.
 *
 * @param name of the script, without ending
 * @param folder where it goes; made where there is none
 * @returns its path
 * @throws RangeError 'The name "My Script" is not usable: …'
 * @throws Error "scripts/a.ts is there already and is left alone: choose another name."
 */
export async function newScript(name: string, folder = SCRIPTS): Promise<string> {
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) {
    throw new RangeError(
      `The name "${name}" is not usable: give up to 64 lower-case letters, digits and underscores, a letter first, ` +
        "such as my_photos.",
    );
  }
  const path = `${folder}/${name}.ts`, beside = `${path}.${Deno.pid}.tmp`;
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(beside, starter.replaceAll("NAME", name));
    await Deno.link(beside, path); // unlike a rename, never over another file
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new Error(`${path} is there already and is left alone: choose another name.`, { cause: error });
    }
    throw new Error(`Cannot write ${path}: ${reasonOf(error)}.`, { cause: error });
  } finally {
    await Deno.remove(beside).catch(() => {});
  }
  return path;
}

if (import.meta.main) {
  await runTask(async () => {
    const [name, ...others] = Deno.args;
    if (name === undefined || name === "--help" || name === "-h") return console.log(helpOf(COMMAND));
    if (others.length > 0) {
      throw new RangeError(
        `There are ${Deno.args.length} names: give one, with underscores instead of spaces.`,
      );
    }
    await newScript(name);
    console.log(`scripts/${name}.ts is written. Run it: ./run script scripts/${name}.ts`);
  });
}
