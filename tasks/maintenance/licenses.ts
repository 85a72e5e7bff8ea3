/** `./run licenses`: the licenses of all packages that are installed; one that does not allow free use is an error. */
import { runCommand } from "../../src/cli/options.ts";

/** The task; it takes no options. */
export const COMMAND = { task: "licenses", usage: "./run licenses", options: {} };

/** Licenses under which the packages may be used beside ours (MIT), unchanged. */
const FREE = [
  "MIT",
  "ISC",
  "0BSD",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "Apache-2.0",
  "Unlicense",
  "CC0-1.0",
  "BlueOak-1.0.0",
  "Python-2.0",
  "LGPL-3.0-or-later",
  "MPL-2.0",
];
const PACKAGES = new URL("../../node_modules/.deno/", import.meta.url);
/** Packages whose license is a text of their own, read: what it is. */
const READ: Record<string, string> = {
  h5wasm: "HDF5's and NIST's, both without conditions but their notice",
};

/** Name, version and license of every installed package, by name. */
export async function listLicenses(): Promise<
  { name: string; version: string; license: string; isFree: boolean }[]
> {
  const found = new Map<string, { name: string; version: string; license: string; isFree: boolean }>();
  for await (const { name: folder } of Deno.readDir(PACKAGES)) {
    const own = folder.replace(/@[^@]*$/, "").replaceAll("+", "/");
    const path = new URL(`${folder}/node_modules/${own}/package.json`, PACKAGES);
    const text = await Deno.readTextFile(path).catch(() => null);
    if (text === null) continue;
    const { name, version, license = "none" } = JSON.parse(text);
    const names = String(license).split(/ OR | AND |[()]/).filter(Boolean);
    const isFree = names.every((part) => FREE.includes(part)) || name in READ;
    found.set(`${name}@${version}`, { name, version, license: READ[name] ?? String(license), isFree });
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

if (import.meta.main) {
  await runCommand(COMMAND, async () => {
    const all = await listLicenses();
    for (const { name, version, license } of all) console.log(`${license.padEnd(20)} ${name} ${version}`);
    const odd = all.filter(({ isFree }) => !isFree).map(({ name, license }) => `${name} (${license})`);
    if (odd.length > 0) throw new Error(`The licenses of ${odd.join(", ")} have to be looked at.`);
  });
}
