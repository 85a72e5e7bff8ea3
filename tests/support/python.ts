/** Python, where a test compares with it. */
import { assertEquals } from "@std/assert";

/** A Python that has these, or undefined: $ALIGNEDCUT_PYTHON, else python3. */
export function pythonWith(imports: string): string | undefined {
  const python = Deno.env.get("ALIGNEDCUT_PYTHON") ?? "python3";
  try {
    const { success } = new Deno.Command(python, { args: ["-c", imports], stdout: "null", stderr: "null" })
      .outputSync();
    return success ? python : undefined;
  } catch {
    return undefined;
  }
}

/** What a script prints. @throws AssertionError when it says anything of an error */
export async function runPython(python: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(python, { args: ["-W", "ignore", ...args] }).output();
  const text = new TextDecoder();
  assertEquals(text.decode(stderr), "");
  return text.decode(stdout);
}
