/**
 * Time of a frame of the explorer in which the pointer is on a new pixel, on the software path; 16.7 ms is 60 frames a
 * second: `./run deno bench -A tests/report/explorer_hover_bench.ts`. Beside the wall time, which others on the machine
 * lengthen, it prints the CPU time of the page's thread. `EXPLORER` names a page other than the sample's.
 */
import { resolve } from "node:path";
import { renderExplorer } from "../support/render_explorer.ts";
import { openBrowser, openFile } from "../support/browser.ts";
import { sampleExploration } from "../support/sample_exploration.ts";

const browser = await openBrowser();
const named = Deno.env.get("EXPLORER");
let path = named && resolve(named);
if (!path) {
  const { content } = await sampleExploration();
  path = await Deno.makeTempFile({ suffix: ".html" });
  const text = { method: "By cosine.", settings: {}, command: "./run explorer" };
  await Deno.writeTextFile(path, await renderExplorer(content, text));
}
const { page } = await openFile(browser, path, { width: 1280, colorScheme: "light" });
await page.locator('html[data-ready="true"]').waitFor();

/** One frame after the other, each with the pointer somewhere else. */
const FRAMES = 60;
const hover = `new Promise((resolve) => {
  const map = document.querySelector('[data-map="vector"]'), box = map.getBoundingClientRect();
  let left = ${FRAMES};
  const frame = () => {
    const at = { clientX: box.left + left * 37 % box.width, clientY: box.top + left * 53 % box.height };
    map.dispatchEvent(new PointerEvent("pointermove", { pointerType: "mouse", ...at }));
    if (left-- > 0) requestAnimationFrame(frame);
    else resolve();
  };
  requestAnimationFrame(frame);
})`;

/** Seconds of CPU time of the page's thread since it began, in all and in scripts. */
async function cpuSeconds(): Promise<[all: number, script: number]> {
  const { metrics } = await devtools.send("Performance.getMetrics");
  const of = (wanted: string) => metrics.find(({ name }) => name === wanted)!.value;
  return [of("TaskDuration"), of("ScriptDuration")];
}

const devtools = await page.context().newCDPSession(page);
await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
await page.evaluate(hover);
const before = await cpuSeconds();
await page.evaluate(hover);
const [all, script] = (await cpuSeconds()).map((now, i) => (1000 * (now - before[i]) / FRAMES).toFixed(1));
console.log(`CPU time of the page's thread: ${all} ms a frame, ${script} of it in scripts`);

Deno.bench(`explorer, ${FRAMES} frames under the pointer`, { n: 5, warmup: 1 }, async () => {
  await page.evaluate(hover);
});

addEventListener("unload", () => void browser.close());
