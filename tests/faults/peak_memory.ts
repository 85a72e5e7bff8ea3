/**
 * The most memory that this process has had since the last time it was asked, in bytes. Deno keeps /proc/self to processes with
 * all rights, which readers of hostile files must not have, so that the system's own functions read it.
 */
export function openPeakMemory(): () => number {
  if (Deno.build.os !== "linux") return () => Deno.memoryUsage().rss;
  const { symbols: libc } = Deno.dlopen("libc.so.6", {
    open: { parameters: ["buffer", "i32"], result: "i32" },
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const text = (value: string) => new TextEncoder().encode(`${value}\0`);
  const within = (path: string, flags: number, use: (file: number) => void) => {
    const file = libc.open(text(path), flags);
    if (file < 0) return;
    use(file);
    libc.close(file);
  };
  return () => {
    const status = new Uint8Array(4096);
    within("/proc/self/status", 0, (file) => libc.read(file, status, BigInt(status.length)));
    within("/proc/self/clear_refs", 1, (file) => libc.write(file, text("5"), 1n)); // a new peak begins, or it stays that of all files
    const kilobytes = /VmHWM:\s+(\d+)/.exec(new TextDecoder().decode(status))?.[1];
    if (!kilobytes) throw new Error("/proc/self/status tells no peak of memory.");
    return 1024 * Number(kilobytes);
  };
}
