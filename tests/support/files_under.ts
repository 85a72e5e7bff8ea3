/** What is in a folder, to be compared with another. */

/** SHA-256 of all files in a folder and those in it, by their paths from there. */
export async function filesUnder(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = async (path: string) => {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory) await visit(`${path}/${name}`);
      else {
        const hash = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${path}/${name}`));
        found[`${path}/${name}`.slice(folder.length)] = new Uint8Array(hash).toHex();
      }
    }
  };
  await visit(folder);
  return found;
}
