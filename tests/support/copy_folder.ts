/** Copies a folder and all in it; `backwards`, its files are made in the reverse order of their names. */
export async function copyFolder(from: string, to: string, backwards = false): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  const entries = (await Array.fromAsync(Deno.readDir(from))).sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of backwards ? entries.reverse() : entries) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`, backwards);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
