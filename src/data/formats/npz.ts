/** NumPy's .npz archives: ZIP files of .npy arrays, as `numpy.savez` and `savez_compressed` write them. */
import { type NpyArray, parseNpy } from "./npy.ts";
import { listZip, readZipMember, type ZipMember } from "../files/zip.ts";

const NPZ = { name: "a .npz file", remedy: "save it with numpy.savez" };

/**
 * Lists the arrays of an archive.
 *
 * @param path the file
 * @returns in the archive's order, named without .npy
 * @throws Error "There is no file a.npz."; "a.npz is not a .npz file …"; "a.npz is damaged: …"
 */
export async function listNpz(path: string): Promise<ZipMember[]> {
  const members = (await listZip(path, NPZ)).filter(({ name }) => name.endsWith(".npy"));
  if (members.length === 0) throw new Error(`${path} holds no array: save it with numpy.savez.`);
  return members.map((member) => ({ ...member, name: member.name.slice(0, -4) }));
}

/**
 * Reads the only array of an archive, or of several the one that is named like the file.
 *
 * @param path the file
 * @throws Error 'a.npz holds the arrays "x" and "y": …', and as `readZipMember` and `parseNpy`
 */
export async function readNpz(path: string): Promise<NpyArray> {
  const members = await listNpz(path), stem = path.replace(/^.*\//, "").replace(/\.npz$/, "");
  const own = members.length === 1 ? members[0] : members.find(({ name }) => name === stem);
  if (own) return parseNpy(await readZipMember(path, own), inside(path, own));
  throw new Error(
    `${path} holds the arrays ${
      members.map(({ name }) => `"${name}"`).join(", ")
    }: save one of them alone, as ` +
      `numpy.savez(path, x), or name it "${stem}".`,
  );
}

/** How an array is named in sentences. */
export function inside(path: string, { name }: ZipMember): string {
  return `${path}: "${name}"`;
}
