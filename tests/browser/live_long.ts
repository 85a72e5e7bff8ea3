/** What takes long of the live page: photographs timed, a device that is lost, a browser without WebGPU. */
import { assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { closeGpu, openGpu } from "../../mod.ts";
import { readSpace } from "../../src/data/fits/space_file.ts";
import { writeLive } from "../../tasks/live.ts";
import { serveFolder } from "../../tasks/serve.ts";
import { openBrowser } from "../support/browser.ts";
import { openChromium, openPage } from "./chromium.ts";
import { smallSpace, writeScene } from "./live_folder.ts";

/** Photographs that are timed, behind a first one. */
const TIMED = 3, TICKS_PER_SECOND = 100;
/** A page is left alone for this long before a photograph is dropped, milliseconds. */
const LOOKING = 6000;

/** Seconds of processors that this process' descendants have taken; by a shell, as Deno reads /proc with every right only. */
async function cpuOfChildren(): Promise<number> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "cat /proc/[0-9]*/stat 2>/dev/null"] })
    .output();
  const parents = new Map<number, { parent: number; ticks: number }>();
  for (const line of new TextDecoder().decode(stdout).trimEnd().split("\n")) {
    const fields = line.replace(/^.*\) /, "").split(" ");
    parents.set(parseInt(line), {
      parent: Number(fields[1]),
      ticks: Number(fields[11]) + Number(fields[12]),
    });
  }
  const isOwn = (pid: number): boolean =>
    pid === Deno.pid || parents.has(pid) && isOwn(parents.get(pid)!.parent);
  let ticks = 0;
  for (const [pid, own] of parents) if (pid !== Deno.pid && isOwn(pid)) ticks += own.ticks;
  return ticks / TICKS_PER_SECOND;
}

/** Drops a photograph and waits until it is done. @returns wall time and processor time, seconds, and what the page says */
async function drop(page: Page, path: string) {
  const done = await page.locator(".photograph.done").count(),
    cpu = await cpuOfChildren(),
    started = performance.now();
  await page.locator("#files").setInputFiles(path);
  await page.locator(".photograph.done, .photograph.failed").nth(done).waitFor();
  const seconds = (performance.now() - started) / 1000;
  const failed = await page.locator(".photograph.failed").count();
  const said = await page.locator(".photograph .time").first().textContent() ?? "";
  if (failed > 0) throw new Error(said);
  return { seconds, cpu: await cpuOfChildren() - cpu, said };
}

const numbers = (page: Page, at: number) =>
  page.evaluate<{ space: boolean; layers: unknown }>(`(({ space, layers }) => ({
    space: space !== null,
    layers: layers.map(({ eigenvalues, colors }) => ({ eigenvalues, colors: [...colors] })),
  }))(live.results[${at}])`);

/**
 * Times photographs through models, and checks what a lost device and a browser without WebGPU do.
 *
 * @param space a file of `./run colors --save-space`; default a small one of the first model
 */
export async function checkLive(models: readonly string[], space?: string): Promise<void> {
  const dir = await Deno.makeTempDir(), gpu = await openGpu();
  try {
    const photographs = Array.from({ length: 1 + TIMED }, (_, seed) => `${dir}/${seed}.png`);
    for (const [seed, path] of photographs.entries()) await writeScene(path, seed);
    const saved = space ? await readSpace(space) : await smallSpace(gpu, models[0], dir);
    await writeLive(`${dir}/live`, models, { path: space ?? "small.arrow", saved });
    await using server = await serveFolder(`${dir}/live`, 0);
    await using chromium = await openChromium({});
    const origin = `http://127.0.0.1:${server.addr.port}`, page = await openPage({ ...chromium, origin });
    await page.locator("#files:enabled").waitFor({ state: "attached" });
    for (const model of models) {
      await page.selectOption("#run-model", model);
      for (const [at, path] of photographs.entries()) {
        const { seconds, cpu, said } = await drop(page, path);
        console.log(
          `${at > 0 ? "next " : model === models[0] ? "first, at once" : "first"} ${seconds.toFixed(1)} s, ${
            cpu.toFixed(1)
          } s of processors; ${said}`,
        );
      }
    }

    const looked = await openPage({ ...chromium, origin });
    await looked.waitForTimeout(LOOKING);
    const rested = await drop(looked, photographs[0]);
    console.log(
      `first, ${LOOKING / 1000} s after the page opened: ${rested.seconds.toFixed(1)} s; ${rested.said}`,
    );
    await looked.close();

    // Every device that the worker opens from now on is lost as soon as it is there, but for the third.
    const lost = await openPage({ ...chromium, origin: "about:" }, "blank");
    lost.on("worker", (worker) =>
      worker.evaluate(`(() => {
        let opened = 0;
        const { requestDevice } = GPUAdapter.prototype;
        GPUAdapter.prototype.requestDevice = async function (...given) {
          const device = await requestDevice.apply(this, given);
          globalThis.opened = ++opened;
          if (opened < 3) device.destroy();
          return device;
        };
      })()`));
    await lost.goto(origin);
    await lost.locator("#files:enabled").waitFor({ state: "attached" });
    await drop(lost, photographs[0]);
    const again = await numbers(lost, 0);
    assertEquals(await lost.workers()[0].evaluate("globalThis.opened"), 3);
    assertEquals(again, await numbers(page, 0), "after two lost devices");
    console.log("a photograph survives two lost devices, with the same numbers");

    await using plainBrowser = await openBrowser(["--disable-features=WebGPU"]);
    const plain = await openPage({ ...chromium, browser: plainBrowser, origin });
    await plain.locator("#without", { hasText: "WebGPU" }).waitFor();
    const { said } = await drop(plain, photographs[0]), { space: hasSpace, layers } = await numbers(plain, 0);
    assertEquals({ hasSpace, layers }, { hasSpace: false, layers: again.layers }, "without WebGPU");
    console.log(`without WebGPU: the same numbers but for the space; ${said}`);
  } finally {
    closeGpu(gpu);
    await Deno.remove(dir, { recursive: true });
  }
}
