/** Whether many files are there. */

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
}

/** Looks at the size of every file. */
export function lookAtSizes(): FileLook {
  return {
    sizes: true,
    sees(path, bytes) {
      try {
        const { size } = Deno.statSync(path);
        return bytes === undefined || size === bytes;
      } catch {
        return false; // absent
      }
    },
  };
}

/**
 * Looks at names alone, and lists each folder once: files that are renamed into their place when they are whole are whole
 * where they are, unless a disk or somebody has cut them since. What comes into a folder later is not seen.
 */
export function lookAtNames(): FileLook {
  const folders = new Map<string, Set<string>>();
  return {
    sizes: false,
    sees(path) {
      const at = path.lastIndexOf("/"), folder = path.slice(0, at);
      let names = folders.get(folder);
      if (!names) folders.set(folder, names = namesIn(folder));
      return names.has(path.slice(at + 1));
    },
  };
}

function namesIn(folder: string): Set<string> {
  try {
    return new Set([...Deno.readDirSync(folder)].map(({ name }) => name));
  } catch {
    return new Set(); // absent
  }
}
