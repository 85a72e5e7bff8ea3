/**
 * What a run leaves out, or takes in another way than it stands: said after the run's first lines, on its pages and in
 * results.json. One list a process, as a run is.
 */

/** Names of what was skipped by what it is, and of what was read all the same by what is odd about it. */
const skippedNames = new Map<string, Set<string>>(), oddNames = new Map<string, Set<string>>();
/** What was reported in words of its own. */
const lines = new Set<string>();
/** Names reported of each kind of odd file. */
const MAX_NAMES = 3;

/**
 * Something that is left out.
 *
 * @param kind one of it: ".heic", "subfolder", "voxel"
 * @param name which; the same name counts once
 */
export function skip(kind: string, name: string): void {
  added(skippedNames, kind, name);
}

/**
 * Something that is taken, though in another way than it stands.
 *
 * @param what about one of it: "JPEG with stray bytes before a marker"
 * @param name which; the same name counts once
 */
export function note(what: string, name: string): void {
  added(oddNames, what, name);
}

/**
 * Something that is left out, or taken in another way than it stands, in words of its own.
 *
 * @param line without a full stop; the same line counts once
 */
export function report(line: string): void {
  lines.add(line);
}

function added(map: Map<string, Set<string>>, key: string, name: string): void {
  map.set(key, (map.get(key) ?? new Set()).add(name));
}

/**
 * The list so far, in the order of the alphabet.
 *
 * @returns "skipped: 1 .heic, 2 subfolders", then "1 JPEG with stray bytes before a marker: a.jpg"; none where nothing was
 */
export function skippedLines(): string[] {
  const counts = sorted(skippedNames).map(([kind, names]) =>
    `${names.size} ${kind}${names.size > 1 && !kind.startsWith(".") ? "s" : ""}`
  );
  const odd = sorted(oddNames).map(([what, names]) => {
    const shown = [...names].sort().slice(0, MAX_NAMES).join(", "), more = names.size - MAX_NAMES;
    return `${names.size} × ${what}: ${shown}${more > 0 ? ` and ${more} more` : ""}`;
  });
  return [...(counts.length > 0 ? [`skipped: ${counts.join(", ")}`] : []), ...odd, ...[...lines].sort()];
}

function sorted(map: Map<string, Set<string>>): [string, Set<string>][] {
  return [...map].sort(([a], [b]) => a < b ? -1 : 1);
}

/** Forgets all, for a new run in the same process. */
export function clearSkipped(): void {
  skippedNames.clear();
  oddNames.clear();
  lines.clear();
}
