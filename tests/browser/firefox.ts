/** The live page in headless Firefox, by WebDriver BiDi: another engine of JavaScript, with WebGPU where asked for. */
import { assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { isThere } from "../../src/data/files/plain_file.ts";
import { writeLive } from "../../tasks/live.ts";
import { serveFolder } from "../../tasks/serve.ts";
import { assertClose } from "../support/assert_close.ts";
import { smallSpace, writeScene } from "./live_folder.ts";

const FIREFOX = Deno.env.get("FIREFOX") ?? "/usr/bin/firefox-esr";
/** What Firefox has WebGPU by where it is not turned on. */
const WEBGPU = ["dom.webgpu.enabled", "dom.webgpu.workers.enabled", "gfx.webgpu.ignore-blocklist"];
const MODEL = "clip_tiny", PATIENCE = 600, POLL_MILLISECONDS = 500, START_SECONDS = 60, TOLERANCE = 1e-3;

/** A page of Firefox. */
interface FirefoxPage extends AsyncDisposable {
  /** The value of an expression, by way of JSON. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until an expression is true. */
  until(expression: string): Promise<void>;
  setFiles(selector: string, paths: readonly string[]): Promise<void>;
}

/** Starts Firefox with a profile of its own, and opens an address. */
async function openFirefox(address: string, hasWebgpu: boolean): Promise<FirefoxPage> {
  if (!await isThere(FIREFOX)) {
    throw new Error(
      `There is no Firefox at ${FIREFOX}: install it (apt-get install firefox-esr), or name it in $FIREFOX.`,
    );
  }
  const profile = await Deno.makeTempDir();
  const prefs = WEBGPU.map((name) => `user_pref("${name}", ${hasWebgpu});`);
  await Deno.writeTextFile(`${profile}/user.js`, prefs.join("\n"));
  const started = new Deno.Command(FIREFOX, {
    args: ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"],
    env: { HOME: profile },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const socket = await connect(started.stderr);
  let last = 0;
  const waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  socket.onmessage = ({ data }) => {
    const { id, type, message, result } = JSON.parse(data), asked = waiting.get(id);
    waiting.delete(id);
    if (type === "error") asked?.reject(new Error(`Firefox: ${message}`));
    else asked?.resolve(result);
  };
  // deno-lint-ignore no-explicit-any
  function send(method: string, params: object = {}): Promise<any> {
    const asked = Promise.withResolvers<Record<string, unknown>>();
    waiting.set(++last, asked);
    socket.send(JSON.stringify({ id: last, method, params }));
    return asked.promise;
  }
  await send("session.new", { capabilities: {} });
  const { contexts: [{ context }] } = await send("browsingContext.getTree");
  await send("browsingContext.navigate", { context, url: address, wait: "complete" });
  async function evaluate<T>(expression: string): Promise<T> {
    const asked = { expression: `JSON.stringify(${expression})`, target: { context }, awaitPromise: true };
    const { result, exceptionDetails } = await send("script.evaluate", asked);
    if (exceptionDetails) throw new Error(`Firefox: ${exceptionDetails.text}`);
    return JSON.parse(result.value ?? "null");
  }
  return {
    evaluate,
    async until(expression) {
      for (let tried = 0; tried < PATIENCE; tried++) {
        if (await evaluate(`!!(${expression})`)) return;
        await new Promise((done) => setTimeout(done, POLL_MILLISECONDS));
      }
      throw new Error(`Firefox: waited in vain for ${expression}`);
    },
    async setFiles(selector, files) {
      const locator = { type: "css", value: selector };
      const { nodes: [{ sharedId }] } = await send("browsingContext.locateNodes", { context, locator });
      await send("input.setFiles", { context, element: { sharedId }, files });
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      started.kill();
      await started.status;
      await Deno.remove(profile, { recursive: true }).catch(() => {}); // what Firefox still writes
    },
  };
}

/** Waits until Firefox says where it listens. */
async function connect(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<WebSocket> {
  const text = stderr.pipeThrough(new TextDecoderStream()).getReader();
  const until = performance.now() + 1000 * START_SECONDS;
  let said = "";
  while (performance.now() < until) {
    const { value, done } = await text.read();
    if (done) break;
    said += value;
    const [, address] = /WebDriver BiDi listening on (ws:\S+)/.exec(said) ?? [];
    if (!address) continue;
    (async () => {
      while (!(await text.read()).done);
    })(); // it stops where nobody reads
    const socket = new WebSocket(`${address}/session`), opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = () => opened.reject(new Error(`${FIREFOX} does not answer at ${address}.`));
    await opened.promise;
    return socket;
  }
  throw new Error(`${FIREFOX} has not started: ${said.split("\n")[0]}`);
}

/** One photograph in the live page of Firefox, by WebGPU and without it: the numbers agree, and a click is answered. */
export async function checkFirefox(): Promise<void> {
  const dir = await Deno.makeTempDir(), gpu = await openGpu();
  try {
    await writeScene(`${dir}/scene.png`, 3);
    await writeLive(`${dir}/live`, [MODEL], {
      path: "small.arrow",
      saved: await smallSpace(gpu, MODEL, dir),
    });
    await using server = await serveFolder(`${dir}/live`, 0);
    const found: { space: boolean; eigenvalues: number[] }[] = [];
    for (const hasWebgpu of [true, false]) {
      await using page = await openFirefox(`http://127.0.0.1:${server.addr.port}/`, hasWebgpu);
      await page.until("!document.getElementById('files').disabled");
      await page.setFiles("#files", [`${dir}/scene.png`]);
      await page.until("document.querySelector('.photograph.done, .photograph.failed')");
      const said = await page.evaluate<string>("document.querySelector('.photograph .time').textContent");
      console.log(
        `${await page.evaluate("navigator.userAgent.split(' ').at(-1)")}, ${
          hasWebgpu ? "WebGPU" : "none"
        }: ${said}`,
      );
      found.push(
        await page.evaluate(`(({ space, layers }) =>
        ({ space: space !== null, eigenvalues: layers.flatMap(({ eigenvalues }) => eigenvalues) }))(live.results[0])`),
      );
      await page.evaluate("document.querySelectorAll('.tile button')[8].click()");
      await page.until("document.querySelector('#exploration[data-ready]')");
      console.log(await page.evaluate("document.getElementById('status').textContent"));
    }
    assertEquals(found.map(({ space }) => space), [true, false]);
    assertClose(found[0].eigenvalues, found[1].eigenvalues, { relative: TOLERANCE });
  } finally {
    closeGpu(gpu);
    await Deno.remove(dir, { recursive: true });
  }
}
