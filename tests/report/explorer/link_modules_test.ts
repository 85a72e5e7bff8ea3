import { assertEquals, assertRejects } from "@std/assert";
import { linkModules } from "../../../src/report/explorer/link_modules.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

/** Writes files into a temporary folder, links `entry.ts` and runs the script. @returns what it leaves in `globalThis.linked` */
async function linked(files: Record<string, string>): Promise<unknown> {
  await inTemporaryFolder(async (folder) => {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
    const script = await linkModules(new URL(`file://${folder}/entry.ts`));
    await import(`data:text/javascript,${encodeURIComponent(script)}`);
  });
  return Reflect.get(globalThis, "linked");
}

Deno.test("linkModules() keeps what modules mean: names, text, re-exports, one run each", async () => {
  const found = await linked({
    "entry.ts": `import { type Kind, label as name } from "./all.ts";
import * as all from "./all.ts";
import text from "./shader.wgsl" with { type: "text" };
import { count } from "./counter.ts";
const WORKGROUP: number = 4;
const kind: Kind = { name: name() };
Reflect.set(globalThis, "linked", [kind.name, text, count(), Object.keys(all).sort(), WORKGROUP]);
`,
    "all.ts": `export * from "./first.ts";\nexport * from "./counter.ts";\n`,
    "first.ts": `import { count } from "./counter.ts";
/** A kind. */
export interface Kind { name: string }
const WORKGROUP = 8;
export const least = WORKGROUP as number;
export function label(): string { return "first " + least + " " + count(); }
`,
    "counter.ts":
      `let made = 0;\nexport async function later(): Promise<void> {}\nexport const count = () => ++made;\n`,
    "shader.wgsl": 'fn f() {} // `${x}` "\\n"\n',
  });
  assertEquals(found, [
    "first 8 1",
    'fn f() {} // `${x}` "\\n"\n',
    2,
    ["count", "label", "later", "least"],
    4,
  ]);
});

Deno.test("linkModules() refuses what it cannot link, and says where", async () => {
  const wrong: [Record<string, string>, string][] = [
    [
      { "entry.ts": "const a = 1;\nexport default a;\n" },
      'entry.ts, line 2, cannot be linked: "export default a;"',
    ],
    [{ "entry.ts": 'import { a } from "left-pad";\n' }, 'entry.ts imports the package "left-pad"'],
    [
      {
        "entry.ts": 'import { b } from "./b.ts";\nexport const a = b;\n',
        "b.ts": 'import { a } from "./entry.ts";\nexport const b = a;\n',
      },
      "entry.ts imports itself by way of others",
    ],
  ];
  for (const [files, message] of wrong) await assertRejects(() => linked(files), Error, message);
});
