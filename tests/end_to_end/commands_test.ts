import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import type { Option } from "../../src/cli/option_kinds.ts";
import { commandLine, helpOf, parseOptions } from "../../src/cli/options.ts";
import { unescapeHtml } from "../../src/report/html.ts";
import { renderPage } from "../../src/report/page.ts";
import { unknownTask } from "../../tasks/maintenance/help.ts";
import { packedTasks } from "../../tasks/maintenance/pack.ts";
import { allCommands, optionsPage } from "../../tasks/maintenance/write_options.ts";

const ROOT = new URL("../../", import.meta.url);

/** Files of a folder by ending, and their texts, by path. */
async function textsIn(folder: string, ending: RegExp): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) found.push(...await textsIn(`${folder}${name}/`, ending));
    else if (ending.test(name)) {
      found.push([folder + name, await Deno.readTextFile(new URL(folder + name, ROOT))]);
    }
  }
  return found;
}

/** What people read: documentation, examples, what scripts start from, and what the program itself says. */
const texts = [
  ["README.md", await Deno.readTextFile(new URL("README.md", ROOT))] as [string, string],
  ["mod.ts", await Deno.readTextFile(new URL("mod.ts", ROOT))] as [string, string],
  ["browser.ts", await Deno.readTextFile(new URL("browser.ts", ROOT))] as [string, string],
  ...await textsIn("docs/", /\.md$/),
  ...await textsIn("examples/", /\.(?:md|ts|ipynb)$/),
  ...await textsIn("fixtures/", /\.md$/),
  ...await textsIn("tasks/", /\.ts$/),
  ...await textsIn("src/", /\.ts$/),
];

Deno.test("no command that people read needs deno on the PATH", () => {
  const bare =
    /(?<!run |npx )\bdeno (?:task|run|test|doc|eval|jupyter|bench|install|check|lint|fmt|info)\b[^\n]*/g;
  const found = texts.flatMap(([path, text]) => {
    // Comments of programs tell how they are started by others.
    const read = /^(?:tasks|src)\//.test(path) && path !== "tasks/starter.ts"
      ? text.replace(/^ *(?:\/\/|\/?\*).*$/gm, "")
      : text;
    return [...read.matchAll(bare)].map(([line]) => `${path}: ${line}`);
  });
  assertEquals(found, []);
});

/** Commands as typed, lines that go on joined. */
function commandsIn(text: string): { task: string; options: string[]; line: string }[] {
  const joined = text.replaceAll(/\\\n\s*/g, " ");
  return [...joined.matchAll(/(?:\.|PATH)\/run (?!TASK\b)([\w:-]+|\$\{\w+\})([^`\n|;&#"\\]*)/g)].map((
    match,
  ) => ({
    task: match[1],
    options: [...match[2].matchAll(/(?<![\w-])--([a-z][\w-]*)/g)].map(([, name]) => name),
    line: match[0].trim(),
  }));
}

const commands = await allCommands();

Deno.test("every command that people read is a task, with options that the task has", () => {
  const sources = new Map(texts), tasks: Record<string, { command: string }> = config.tasks;
  const wrong: string[] = [], seen = new Set<string>();
  for (const [path, text] of texts) {
    for (const { task, options, line } of commandsIn(text)) {
      if (task.startsWith("$") || ["help", "deno"].includes(task)) continue;
      seen.add(task);
      if (tasks[task] === undefined) {
        wrong.push(`${path}: ${line}: there is no such task`);
        continue;
      }
      const own = commands.find((command) => command.task === task)?.options ?? {};
      const script = sources.get(/\S+\.ts/.exec(line)?.[0] ?? "") ?? "";
      for (const option of options.filter((name) => name !== "help")) {
        const isThere = task === "script"
          ? new RegExp(`^ *"?${option}(?:"?: |,$)`, "m").test(script)
          : Object.hasOwn(own, option);
        if (!isThere && task !== "test") wrong.push(`${path}: ${line}: no option --${option}`);
      }
    }
  }
  assertEquals(wrong, []);
  for (
    const task of ["reproduce", "status", "script", "new", "models", "bench", "fault-injection", "colors"]
  ) {
    assert(seen.has(task), task);
  }
});

Deno.test("the help of every task fits in 110 columns and is in docs/options.md, below a table of what the experiments share", async () => {
  for (const command of commands) {
    const long = helpOf(command).split("\n").filter((line) => line.length > 110);
    assertEquals(long, [], command.task);
  }
  const advice = "`./run deno run -A tasks/maintenance/write_options.ts` writes it anew";
  const page = await Deno.readTextFile(new URL("docs/options.md", ROOT));
  assert(page === optionsPage(commands), `docs/options.md is old: ${advice}`);
});

Deno.test("old names of options and tasks are none of the new ones", async () => {
  const tasks = Object.keys(config.tasks), run = await Deno.readTextFile(new URL("run", ROOT));
  for (const { task, options } of commands) {
    const old = Object.values(options).flatMap(({ formerly }) => formerly ?? []);
    assertEquals(old.filter((name) => Object.hasOwn(options, name)), [], task);
    assertEquals(new Set(old).size, old.length, task);
  }
  const renamed = [...run.matchAll(/^ {2}([\w-]+)\) now=([\w-]+) ;;$/gm)];
  assertEquals(renamed.map(([, old, now]) => [old, tasks.includes(old), tasks.includes(now)]), [
    ["audit", false, true],
    ["faults", false, true],
    ["fixtures", false, true],
  ]);
});

Deno.test("./run explorer --live and showcase --live are ./run live, with its options", () => {
  for (const given of [["explorer", "--live"], ["showcase", "--model", "clip_tiny", "--live"]]) {
    const { success, stdout } = new Deno.Command("sh", { args: ["run", ...given, "--help"], cwd: ROOT })
      .outputSync();
    assert(success && new TextDecoder().decode(stdout).startsWith("./run live [options]"), given.join(" "));
  }
});

Deno.test("./run says where relative paths begin, typed in another folder", () => {
  const said = (cwd: URL | string, ...given: string[]) => {
    const args = [new URL("run", ROOT).pathname, ...given];
    const { success, stderr } = new Deno.Command("sh", { args, cwd }).outputSync();
    assert(success, given.join(" "));
    return new TextDecoder().decode(stderr);
  };
  const line = `[setup] relative paths begin in ${ROOT.pathname.slice(0, -1)}, not where this is typed`;
  assertMatch(said("/", "models", "list"), new RegExp(RegExp.escape(line)));
  assert(!said(ROOT, "models", "list").includes(line));
});

Deno.test("every command of the npm package that people read is in it", () => {
  const found = texts.flatMap(([, text]) =>
    [...text.matchAll(/npx alignedcut ([a-z][\w:-]*)/g)].map(([, task]) => task)
  );
  assert(found.includes("colors"));
  assertEquals(found.filter((task) => task !== "help" && !Object.hasOwn(packedTasks(), task)), []);
});

Deno.test("unknownTask() names the task that was probably meant", () => {
  assertEquals(
    unknownTask("reprduce", config),
    'There is no task "reprduce": did you mean ./run reproduce? (./run help lists them all.)',
  );
  assertEquals(
    unknownTask("color", config),
    'There is no task "color": did you mean ./run colors? (./run help lists them all.)',
  );
  assertEquals(unknownTask("xyzzy", config), 'There is no task "xyzzy": ./run help lists them all.');
});

Deno.test("./run script runs a script of any folder with the package, where it is typed, and says what is no script; so README.md's", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${dir}/sub`);
    await Deno.writeTextFile(
      `${dir}/sub/mine.ts`,
      `import { scriptOptions, savePage } from "@alignedcut/alignedcut";
const { n } = scriptOptions("Mine.", { n: [1, "a number"] });
console.log(typeof savePage, n, Deno.cwd());
Deno.exitCode = 3;`,
    );
    const readme = await Deno.readTextFile(new URL("README.md", ROOT));
    await Deno.writeTextFile(`${dir}/readme.ts`, /```ts\n(.+?)```/s.exec(readme)![1]);
    await Deno.writeTextFile(
      `${dir}/help.ts`,
      `import { scriptOptions } from "@alignedcut/alignedcut";
scriptOptions("Mine.", { photos: ["", "a folder; without it, scenes"] });`,
    );
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          ...config.tasks.script.command.split(" ").slice(2, -1),
          `${ROOT.pathname}tasks/script.ts`,
          ...args,
        ],
        cwd: ROOT,
        env: { INIT_CWD: dir },
      }).output();
      const said = new TextDecoder().decode(stderr).split("\n").filter((line) =>
        line && !/XDG_RUNTIME/.test(line)
      );
      return { code, printed: new TextDecoder().decode(stdout).trim(), said: said.at(-1) };
    };
    const [fromReadme, help, worked, absent, none] = await Promise.all([
      run("readme.ts"),
      run("help.ts", "--help"),
      run("sub/mine.ts", "--n", "7"),
      run("mine.ts"),
      run("sub"),
    ]);
    assertEquals([worked.code, worked.printed], [3, `function 7 ${await Deno.realPath(dir)}`], worked.said);
    assertEquals(fromReadme.code, 0, fromReadme.said);
    assertMatch(fromReadme.printed, /^Float64Array\(20\) [^]*true$/);
    assertMatch(help.printed, /--photos TEXT +a folder; without it, scenes\n/);
    const advice = "`./run new NAME` writes a script to start from.";
    assertEquals([absent.code, absent.said], [
      1,
      `Cannot run ${dir}/mine.ts: there is no such file; ${advice}`,
    ]);
    assertEquals([none.code, none.said], [1, `Cannot run ${dir}/sub: it is no file; ${advice}`]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** A value that an option takes: text of characters that shells and pages read otherwise, or a number, or a word of its own. */
function sampleValue(name: string, { read }: Option<unknown>): string {
  let message = "";
  for (const value of ["my 'photos' & \"<b>\" $HOME; é", "3", "0.5", "200"]) {
    try {
      read([value], name);
      return value;
    } catch (error) {
      message = (error as Error).message;
    }
  }
  return /: give ([\w:-]+)/.exec(message)![1];
}

/** The arguments of commands, as a shell takes them apart. */
async function shellWords(lines: readonly string[]): Promise<string[][]> {
  const script = lines.map((line) => `printf '%s\\0' ${line}\nprintf '\\n'`).join("\n");
  const { stdout, success } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  assert(success);
  return new TextDecoder().decode(stdout).split("\0\n").slice(0, -1).map((line) => line.split("\0"));
}

Deno.test("the command that a page says makes it again is read as it was typed, of every task and with every option", async () => {
  const typed = commands.map(({ task, options }) => ({
    task,
    args: Object.entries(options).flatMap(([name, option]) =>
      option.value === "" ? [`--${name}`] : [`--${name}`, sampleValue(name, option)]
    ),
  }));
  const lines = typed.map(({ task, args }) => {
    const page = { title: "t", question: "?", method: "So.", sections: [], settings: {} };
    const markup = renderPage({ ...page, command: commandLine(task, args) });
    return unescapeHtml(/<h2 [^>]*>Make it again<\/h2>[^]*?<code>([^]*?)<\/code>/.exec(markup)![1]);
  });
  const words = await shellWords(lines);
  commands.forEach(({ task, options }, i) => {
    assertEquals(words[i], ["./run", task, ...typed[i].args]);
    const parsed = parseOptions(options, words[i].slice(2));
    assertEquals([...parsed!.given].sort(), Object.keys(options).sort(), task);
  });
});
