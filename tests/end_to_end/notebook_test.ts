import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const NOTEBOOK = new URL("../../examples/alignedcut.ipynb", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Stands in for the kernel: tells the type and beginning of what a cell shows. */
const KERNEL = `
const show = (type: string, content: string | Uint8Array) => console.log(JSON.stringify([type, content.length, [...content].slice(0, 8)]));
const jupyter = {
  image: (bytes: Uint8Array) => show("image/png", bytes),
  svg: (parts: TemplateStringsArray, ...values: unknown[]) => show("image/svg+xml", String.raw({ raw: parts }, ...values)),
  md: (parts: TemplateStringsArray, ...values: unknown[]) => show("text/markdown", String.raw({ raw: parts }, ...values)),
};
`;

interface Cell {
  cell_type: string;
  source: string[];
  outputs?: unknown[];
}

async function deno(cwd: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd }).output();
  const text = new TextDecoder();
  assertEquals(code, 0, text.decode(stderr));
  return text.decode(stdout);
}

Deno.test("examples/alignedcut.ipynb is stored without outputs, type-checks, and shows pictures, a chart and text", async () => {
  const { cells, metadata }: { cells: Cell[]; metadata: { kernelspec: { name: string } } } = JSON.parse(
    await Deno.readTextFile(NOTEBOOK),
  );
  assertEquals(metadata.kernelspec.name, "deno");
  const code = cells.filter(({ cell_type }) => cell_type === "code");
  assert(code.every(({ outputs }) => outputs?.length === 0));
  await inTemporaryFolder(async (dir) => {
    const script = code.map(({ source }) => source.join("")).join(";\n");
    await Deno.writeTextFile(`${dir}/cells.ts`, script);
    await deno(dir, "check", "--no-lock", "--config", CONFIG, `${dir}/cells.ts`);
    await Deno.writeTextFile(`${dir}/run.ts`, KERNEL + script.replaceAll("Deno.jupyter.", "jupyter."));
    const shown = (await deno(dir, "run", "-A", "--no-lock", "--config", CONFIG, `${dir}/run.ts`))
      .trim().split("\n").map((line) => JSON.parse(line));
    const png = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
    assertEquals(shown.map(([type]) => type), ["image/png", "image/png", "image/svg+xml", "text/markdown"]);
    assertEquals([shown[0][2], shown[1][2]], [png, png]);
    assertStringIncludes(shown[2][2].join(""), "<svg");
    assert((await Deno.stat(`${dir}/nodes.arrow`)).size > 588 * 20 * 4);
  });
});
