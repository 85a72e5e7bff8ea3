/** Whether many files are there. */

/** Sizes of files in bytes, by folder and by name in it. */
export type SizesByFolder = Record<string, Record<string, number>>;

/** A way to look at files. */
export interface FileLook {
  /** Whether sizes are looked at; else names alone. */
  sizes: boolean;
  /**
   * Whether a file is there, and as large as was written.
   *
   * @param bytes its size; absent: any
   */
  sees(path: string, bytes?: number): boolean;
  /** The same for the files of one folder, by name. */
  within(folder: string): (name: string, bytes?: number) => boolean;
}

/** Looks at the size of every file. */
export function lookAtSizes(): FileLook {
  const sees = (path: string, bytes?: number) => {
    try {
      const { size } = Deno.statSync(path);
      return bytes === undefined || size === bytes;
    } catch {
      return false; // absent
    }
  };
  return { sizes: true, sees, within: (folder) => (name, bytes) => sees(`${folder}/${name}`, bytes) };
}

/**
 * Looks at names alone, and lists each folder once: files that are renamed into their place when they are whole are whole
 * where they are, unless a disk or somebody has cut them since. What comes into a folder later is not seen.
 */
export function lookAtNames(): FileLook {
  const folders = new Map<string, (name: string) => boolean>();
  const within = (folder: string) => {
    const known = folders.get(folder);
    if (known) return known;
    const names = namesIn(folder), has = (name: string) => names.has(name);
    folders.set(folder, has);
    return has;
  };
  return {
    sizes: false,
    within,
    sees(path) {
      const at = path.lastIndexOf("/");
      return within(path.slice(0, at))(path.slice(at + 1));
    },
  };
}

/** Whether all files are there, as far as `look` looks. @param folder of their folders */
export function areFilesThere(folder: string, files: SizesByFolder, look: FileLook): boolean {
  for (const [inside, sizes] of Object.entries(files)) {
    const sees = look.within(`${folder}/${inside}`);
    for (const name in sizes) if (!sees(name, sizes[name])) return false;
  }
  return true;
}

/** Sizes of files that are there. @param paths from `folder` on, each within a folder of it */
export async function sizesOf(folder: string, paths: readonly string[]): Promise<SizesByFolder> {
  const sizes: SizesByFolder = {};
  for (const path of paths) {
    const at = path.lastIndexOf("/");
    (sizes[path.slice(0, at)] ??= {})[path.slice(at + 1)] = (await Deno.stat(`${folder}/${path}`)).size;
  }
  return sizes;
}

function namesIn(folder: string): Set<string> {
  const names = new Set<string>();
  try {
    for (const { name } of Deno.readDirSync(folder)) names.add(name);
  } catch { /* absent */ }
  return names;
}
