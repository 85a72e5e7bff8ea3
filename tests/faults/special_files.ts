/** What may stand in a file's place: links, pipes, devices, folders, and files of a size that nobody can hold. */
import { dirname } from "node:path";

/** Larger than any limit of the readers; it takes no room on the disk. */
const VAST = 2 ** 40;

/** Something in a file's place. */
export interface SpecialFile {
  what: string;
  /** Puts it there, where nothing is. */
  make(path: string): Promise<void>;
  /** Whether it has to be read, or refused; "either" where it is no error for some. */
  ends: "read" | "refused" | "either";
}

/** The cases for a format of which `bytes` are a good file; `outside` is a folder elsewhere. */
export function specialFiles(bytes: Uint8Array, outside: string): SpecialFile[] {
  const link = (target: string) => (path: string) => Deno.symlink(target, path);
  return [
    {
      what: "a link to a file outside",
      async make(path) {
        await Deno.writeFile(`${outside}/good`, bytes);
        await Deno.symlink(`${outside}/good`, path);
      },
      ends: "read",
    },
    { what: "a link to /dev/zero", make: link("/dev/zero"), ends: "refused" },
    { what: "a link to /dev/null", make: link("/dev/null"), ends: "refused" },
    { what: "a link to /proc/self/mem", make: link("/proc/self/mem"), ends: "refused" },
    { what: "a link to itself", make: (path) => Deno.symlink(path, path), ends: "refused" },
    { what: "a link to nothing", make: link(`${outside}/none`), ends: "either" },
    { what: "a link to its folder", make: (path) => Deno.symlink(dirname(path), path), ends: "refused" },
    { what: "a folder", make: (path) => Deno.mkdir(path), ends: "refused" },
    {
      what: "a pipe",
      async make(path) {
        const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
        if (!success) throw new Error(`Cannot make the pipe ${path}.`);
      },
      ends: "refused",
    },
    {
      what: "a terabyte of holes",
      async make(path) {
        await Deno.writeFile(path, bytes);
        await Deno.truncate(path, VAST);
      },
      ends: "either",
    },
  ];
}
