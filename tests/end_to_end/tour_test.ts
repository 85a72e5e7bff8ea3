import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const text = await Deno.readTextFile(new URL("docs/tour.md", ROOT));

Deno.test("docs/tour.md names files that are there, and functions that these declare", async () => {
  const wrong: string[] = [];
  let path = "", code = "", functions = 0;
  for (const [, name] of text.matchAll(/`([^`\n]+)`/g)) {
    if (/^(?:src|shaders|tasks|tests|fixtures|docs|examples|findings)(?:\/[\w./-]+)?$/.test(name)) {
      const stat = await Deno.stat(new URL(name, ROOT)).catch(() => null);
      if (!stat) wrong.push(`${name} is not there`);
      [path, code] = [name, stat?.isFile ? await Deno.readTextFile(new URL(name, ROOT)) : ""];
    } else if (name.endsWith("()")) {
      functions++;
      const own = name.slice(0, -2);
      if (!new RegExp(`\\bfunction\\*? ${own}\\b`).test(code)) wrong.push(`${path} declares no ${name}`);
    }
  }
  assertEquals(wrong, []);
  assert(functions > 25, `${functions} functions`);
});

Deno.test("docs/tour.md answers ten questions, each by a path", () => {
  const questions = [...text.matchAll(/^(\d+)\. \*\*[^*]+\?\*\*((?:.|\n(?!\d+\. |##))*)/gm)];
  assertEquals(questions.map(([, number]) => Number(number)), Array.from({ length: 10 }, (_, i) => i + 1));
  for (const [, number, answer] of questions) assert(/`(?:src|shaders|tests|tasks)\b/.test(answer), number);
});

Deno.test("links between documents lead to files and headings that are there", async () => {
  const files = [
    "README.md",
    "examples/README.md",
    ...[...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) => `docs/${name}`),
  ];
  const read = (path: URL) => Deno.readTextFile(path).catch(() => null);
  const anchors = (markdown: string) =>
    [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    );
  const wrong: string[] = [];
  for (const file of files.filter((name) => name.endsWith(".md"))) {
    const markdown = (await read(new URL(file, ROOT)))!;
    for (const [, link] of markdown.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path, anchor] = link.split("#");
      const to = path ? new URL(path, new URL(file, ROOT)) : new URL(file, ROOT);
      const found = await read(to);
      if (found === null) wrong.push(`${file}: ${link}`);
      else if (anchor && !anchors(found).includes(anchor)) wrong.push(`${file}: ${link}: no such heading`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("README.md has a picture, two commands, and what was and was not tried in its first screen", async () => {
  const lines = (await Deno.readTextFile(new URL("README.md", ROOT))).split("\n"),
    screen = lines.slice(0, 30).join("\n");
  assert(lines.length <= 160, `${lines.length} lines`);
  const [, picture] = /!\[[^\]]+\]\((docs\/[\w.]+)\)/.exec(screen)!;
  assert((await Deno.stat(new URL(picture, ROOT))).size <= 300_000, picture);
  assertEquals(screen.match(/^\.\/run \w+/gm), ["./run showcase", "./run reproduce"]);
  assert(/\| tried +\| not tried/.test(screen));
});
