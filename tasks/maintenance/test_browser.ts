/** `./run test-browser`: the tests of the compute layers in headless Chromium: another WebGPU, another compiler of WGSL. */
import { repeated, text, toggle } from "../../src/cli/option_kinds.ts";
import { runCommand } from "../../src/cli/options.ts";
import { bundleTests, openChromium, openPage, runInPage } from "../../tests/browser/chromium.ts";
import { checkFirefox } from "../../tests/browser/firefox.ts";
import { checkLive } from "../../tests/browser/live_long.ts";
import { writeStrip } from "../../tests/browser/live_strip.ts";
import { everyFact } from "../../tests/support/wgsl_facts.ts";
import { bundle } from "../shared/bundle.ts";
import { chromiumPath } from "../../tests/support/browser.ts";

/** The task and its options. */
export const COMMAND = {
  task: "test-browser",
  about: "Runs the tests of the compute layers in headless Chromium ($CHROMIUM, else /usr/bin/chromium)",
  options: {
    live: toggle({
      help:
        "instead, time photographs in the live page, and check a lost device and a browser without WebGPU",
    }),
    strip: text({
      value: "FILE.webp",
      help: "instead, pictures of the live page: a photograph dropped, layers, colors, a click, the cortex",
    }),
    model: repeated({
      value: "NAME",
      help: "with --live: the models; several with commas",
      shown: "clip_tiny,dino_tiny,mae_tiny",
    }),
    space: text({
      value: "FILE",
      help: "with --live and --strip: a saved space",
      shown: "a small one of the first model",
    }),
    firefox: toggle({
      help:
        "instead, one photograph in the live page of Firefox ($FIREFOX, else /usr/bin/firefox-esr), with WebGPU and without",
    }),
    only: text({
      value: "LIST",
      help: "files whose path holds one of these, as linalg/matmul,tsne",
      shown: "all",
    }),
    facts: toggle({
      help: "instead, measure how Deno's WebGPU and Chromium's compute, as a table in Markdown",
    }),
  },
};

const FOLDERS = ["gpu", "linalg", "statistics", "graph", "embed", "align"];
/** Test files that need what a page does not have. */
const NOT_IN_A_PAGE: Record<string, string> = {
  "tests/gpu/device_test.ts": "counts the memory of Deno",
  "tests/gpu/shader_loops_test.ts": "reads the shaders' files",
  "tests/linalg/fastest_variant_test.ts": "keeps a file",
  "tests/linalg/fork_test.ts": "reads the sources",
  "tests/statistics/rsa_test.ts": "reads data sets",
  "tests/graph/fowlkes_test.ts": "keeps files",
  "tests/graph/invariants_test.ts": "needs the package fast-check",
  "tests/graph/knn_recall_test.ts": "needs the package hnswlib-node",
  "tests/graph/ivf_landmarks_test.ts": "keeps files",
  "tests/align/space_test.ts": "keeps files",
};
const SEED = 1, MODELS = ["clip_tiny", "dino_tiny", "mae_tiny"];

/** Test files of the compute layers that run in a page. */
function browserTests(): string[] {
  return FOLDERS.flatMap((folder) =>
    [...Deno.readDirSync(new URL(`../../tests/${folder}`, import.meta.url))].map(({ name }) =>
      `tests/${folder}/${name}`
    )
  ).filter((file) => file.endsWith("_test.ts") && !(file in NOT_IN_A_PAGE)).sort();
}

/** Runs all, reports as it goes. @returns how many tests failed */
async function runAll(files: readonly string[]): Promise<number> {
  await using chromium = await openChromium({
    "/": '<script type="module" src="tests.js"></script>',
    "/tests.js": await bundleTests(files, SEED),
  });
  const counts = { ok: 0, ignored: 0, failed: 0 }, started = performance.now();
  const page = await openPage(chromium); // one for all: each shader is compiled once
  for (const file of files) {
    const results = await runInPage(page, file), failed = results.filter(({ result }) => !(result in counts));
    for (const { result } of results) counts[result in counts ? result as "ok" : "failed"]++;
    const seconds = results.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
    console.log(
      `${failed.length > 0 ? "FAILED" : "ok    "} ${file}, ${results.length} tests, ${seconds.toFixed(1)} s`,
    );
    for (const { test, result } of failed) console.log(`  ${test}\n    ${result.replaceAll("\n", "\n    ")}`);
  }
  for (const [file, reason] of Object.entries(NOT_IN_A_PAGE)) console.log(`skipped: ${file} ${reason}`);
  const minutes = (performance.now() - started) / 60_000;
  console.log(
    `${counts.ok} passed, ${counts.failed} failed, ${counts.ignored} ignored in ${minutes.toFixed(1)} min`,
  );
  return counts.failed;
}

/** The facts of Deno's WebGPU and of Chromium's beside each other. */
async function factsTable(): Promise<string> {
  const code = await bundle(
    'import { everyFact } from "./tests/support/wgsl_facts.ts"; globalThis.everyFact = everyFact;',
  );
  await using chromium = await openChromium({
    "/": '<script type="module" src="facts.js"></script>',
    "/facts.js": code,
  });
  const page = await openPage(chromium);
  await page.waitForFunction("globalThis.everyFact");
  const here = await everyFact(), there = await page.evaluate<typeof here>("everyFact()");
  const rows = here.map(({ question, answer }, i) => `| ${question} | ${answer} | ${there[i].answer} |`);
  return ["| | Deno | Chromium |", "| --- | --- | --- |", ...rows].join("\n");
}

if (import.meta.main) {
  await runCommand(COMMAND, async ({ options: { only, facts, live, strip, firefox, model, space } }) => {
    if (firefox) return await checkFirefox();
    if (chromiumPath === undefined) {
      throw new Error(
        "There is no Chromium: install it (apt-get install chromium), or name it in $CHROMIUM.",
      );
    }
    if (strip) return await writeStrip(strip, model[0] ?? MODELS[0], space);
    if (live) return await checkLive(model.length > 0 ? model : MODELS, space);
    if (facts) return console.log(await factsTable());
    const parts = only?.split(",") ?? [""];
    const files = browserTests().filter((file) => parts.some((part) => file.includes(part)));
    if (files.length === 0) throw new RangeError(`No test file has ${only} in its path.`);
    if (await runAll(files) > 0) Deno.exitCode = 1;
    if (only === undefined) await checkLive(MODELS.slice(0, 1));
  });
}
