import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { type ClickResponse, respondOnGpu, sumOverSlots } from "../../src/report/explorer/click_response.ts";
import { assertClose } from "../support/assert_close.ts";
import { chromiumPath, horizontalOverflow } from "../support/browser.ts";
import {
  CUT_CAPTION,
  leaveFirst,
  NOTHING,
  open,
  type Sample,
  withPage,
} from "../support/explorer_in_browser.ts";
import { testSeed } from "../support/random.ts";
import { embeddedRows } from "../support/sample_exploration.ts";

const ignore = chromiumPath === undefined;
const OPACITY = "document.querySelector('#pixel canvas').style.opacity";
/** The picture of a map. */
const SHOWN = "(name) => document.querySelector(`[data-map=${name}] canvas`).toDataURL()";
/** Whether the numbers behind the maps are those of the clicked node. */
const ANSWERED =
  "!explorer.busy() && Math.abs(explorer.response().similarity[explorer.node().index] - 1) < 1e-3";
/** Widths of the narrowest map of the image, and of one of those everywhere on a phone. */
const NARROWEST =
  "[Math.min(...[...document.querySelectorAll('.map')].map((map) => map.clientWidth)), innerWidth > 700 ? 96 : document.querySelector('.card canvas').clientWidth / 3]";
/** Of every map once it is enlarged: name, width, what of it lies outside the window, and the patches that two clicks pick. */
const ENLARGED = `(async () => {
  const found = [];
  for (const map of document.querySelectorAll(".map")) {
    const button = map.parentElement.querySelector(".larger");
    button.click();
    const dialog = map.closest("dialog"), box = dialog.getBoundingClientRect(), own = map.getBoundingClientRect();
    const outside = Math.max(0, -box.left, box.right - innerWidth, box.bottom - innerHeight);
    const picked = [5, own.width - 5].map((x) => {
      map.dispatchEvent(new MouseEvent("click", { clientX: own.left + x, clientY: own.top + 5 }));
      return explorer.node().token;
    });
    found.push([map.dataset.map, own.width, outside, ...picked]);
    button.click();
    await new Promise((done) => dialog.addEventListener("close", done));
  }
  return found;
})()`;
/** What is clicked and chosen. */
const STATE =
  "[explorer.node(), ...['image', 'layer', 'segment-count', 'over', 'activation'].map((id) => document.getElementById(id).value)]";

/** The clicked node and the numbers behind the maps, once they belong to each other. */
async function answer(page: Page) {
  await page.waitForFunction(ANSWERED);
  const index = await page.evaluate<number>("explorer.node().index");
  const parts = await page.evaluate<number[][]>(
    "[[...explorer.response().similarity], [...explorer.response().activation]]",
  );
  return { index, similarity: parts[0], activation: parts[1] };
}

/** Computes with one of the two. */
async function choose(page: Page, engine: string) {
  if ((await page.evaluate<string>("explorer.engine()")).startsWith(engine)) return;
  await page.locator("#engine").selectOption(engine === "WebGPU" ? "gpu" : "host");
  await page.locator("#computed", { hasText: new RegExp(`^${engine}`) }).waitFor();
}

function pictures(page: Page): Promise<string[]> {
  return page.evaluate(
    "[...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL())",
  );
}

/** The same answer in Deno, from the values before rounding. */
async function answerInDeno(
  { pipeline, aligned, beta, images }: Sample,
  node: number,
): Promise<ClickResponse> {
  const features = embeddedRows(aligned, pipeline, images);
  const responder = await respondOnGpu({
    eigenvectors: embeddedRows(pipeline.eigenvectors, pipeline, images),
    beta,
  });
  const feature = (node: number) => features.data.slice(node * features.cols, (node + 1) * features.cols);
  const layout = { slots: pipeline.slots.length, images: images.length, tokens: pipeline.tokens };
  try {
    return await responder.respond(node, sumOverSlots(feature, node, layout));
  } finally {
    responder.close();
  }
}

for (const [engine, args] of [["plain JavaScript", []], ["WebGPU", ["--enable-unsafe-webgpu"]]] as const) {
  Deno.test({
    name: `explorer on ${engine}: a click changes the maps and equals the Deno result to 1e-3`,
    ignore,
    fn: () =>
      withPage([...args], async (browser, path, sample) => {
        const { page, trouble } = await open(browser, path);
        await choose(page, engine);
        await leaveFirst(page);
        const before = await pictures(page), first = await answer(page);
        await page.locator('[data-map="colors"]').click({ position: { x: 5, y: 5 } });
        const found = await answer(page), after = await pictures(page);
        assertNotEquals(found.index, first.index);
        assertEquals(found.index % sample.pipeline.tokens, 1, "the first patch");
        const changed = before.filter((picture, i) => picture !== after[i]).length;
        assertEquals(
          changed,
          2 + sample.images.length,
          "the similarity map, the overlay of the photograph and every image's maps",
        );
        const expected = await answerInDeno(sample, found.index), note = `seed ${testSeed}`;
        assertClose(found.similarity, expected.similarity, { relative: 1e-3, note });
        assertClose(found.activation, expected.activation, { relative: 1e-3, note });

        const last = page.locator("#overview canvas").last();
        const box = (await last.boundingBox())!;
        await last.click({ position: { x: box.width - 2, y: box.height - 2 } });
        assertEquals((await answer(page)).index, sample.content.segments.length - 1, "the last node");
        assertEquals(trouble, NOTHING);
      }),
  });
}

Deno.test({
  name: "explorer: the shaders and plain JavaScript give the same numbers in one browser",
  ignore,
  fn: () =>
    withPage(["--enable-unsafe-webgpu"], async (browser, path) => {
      const { page, trouble } = await open(browser, path);
      const note = await page.locator("#engine-note").innerText();
      const times = /takes ([\d.]+) ms a click here, WebGPU on .* ([\d.]+) ms/.exec(note);
      assert(times, note);
      const faster = Number(times[1]) <= Number(times[2]) ? "plain JavaScript" : "WebGPU";
      if (times[1] !== times[2]) {
        assert((await page.evaluate<string>("explorer.engine()")).startsWith(faster), note);
      }
      await choose(page, "WebGPU");
      const gpu = await answer(page);
      await choose(page, "plain JavaScript");
      const host = await answer(page);
      assertClose(gpu.similarity, host.similarity, { relative: 1e-6 });
      assertClose(gpu.activation, host.activation, { relative: 1e-6 });
      assertEquals(trouble, NOTHING);
    }),
});

Deno.test({
  name: "explorer: the keyboard reaches every control, moves the pixel and changes what is looked at",
  ignore,
  fn: () =>
    withPage([], async (browser, path, sample) => {
      const { page, trouble } = await open(browser, path);
      const reached: string[] = [];
      const name = "(({ id, className, localName }) => id || className || localName)(document.activeElement)";
      const outline = "getComputedStyle(document.activeElement).outline";
      for (let i = 0; i < 36; i++) {
        await page.keyboard.press("Tab");
        reached.push(await page.evaluate(name));
        assert(
          (await page.evaluate<string>(outline)).includes("solid 3px"),
          `${reached.at(-1)} shows its focus`,
        );
      }
      const order =
        "skip a a a a a a image model layer clicks smooth pixel over opacity larger png larger png " +
        "coloring larger png segment-count larger png vector larger png clear larger png " +
        "activation button button button scroll";
      assertEquals(reached.join(" "), order);
      await leaveFirst(page);
      await page.locator("#pixel").focus();
      const start = (await answer(page)).index;
      for (const key of ["ArrowUp", "ArrowLeft"]) await page.keyboard.press(key);
      assertEquals((await answer(page)).index, start - sample.content.grid.cols - 1);
      for (let i = 0; i < 9; i++) await page.keyboard.press("ArrowUp");
      await answer(page);
      const top = await page.evaluate<{ token: number }>("explorer.node()");
      assert(top.token >= 1 && top.token <= sample.content.grid.cols, "stops at the first row");
      const label = await page.locator("#pixel").getAttribute("aria-label");
      assert(label?.includes("row 1, column 2"), label ?? "");

      await page.locator("#clicks").focus();
      await page.keyboard.press("ArrowDown");
      assertEquals(await page.locator("#clicks").inputValue(), "figure");
      await page.locator("#pixel").focus();
      await page.keyboard.press("Enter");
      assertEquals(await page.locator('[data-map="photo"] .cut-mark').allInnerTexts(), ["F"], "Enter marks");
      await page.locator("#clear").focus();
      await page.keyboard.press("Enter");
      assertEquals(await page.locator(".cut-mark").count(), 0, "and its button clears");

      const colors = () => page.evaluate("document.querySelector('[data-map=colors] canvas').toDataURL()");
      const before = await colors();
      const larger = page.locator("figure:has([data-map=colors]) .larger");
      await larger.focus();
      await page.keyboard.press("Enter");
      const focused = "document.activeElement.dataset.map";
      assertEquals(await page.evaluate(focused), "colors", "the enlarged map takes keys");
      const { index } = await answer(page);
      await page.keyboard.press("ArrowRight");
      assertEquals((await answer(page)).index, index + 1);
      await page.keyboard.press("Escape");
      assertEquals(await page.evaluate("document.activeElement.className"), "larger");
      assertEquals([await page.locator("dialog[open]").count(), await larger.innerText()], [0, "Larger"]);

      const smooth = "getComputedStyle(document.querySelector('.map canvas')).imageRendering";
      await page.locator("#smooth").press("Space");
      assertEquals(await page.evaluate(smooth), "auto");
      await page.locator("#layer").focus();
      await page.keyboard.press("ArrowRight");
      const other = await colors();
      assertNotEquals(other, before);
      assert(await page.locator('[data-map="colors"] .marker.elsewhere').isVisible());
      await page.locator("#overview button").last().focus();
      await page.keyboard.press("Enter");
      assertNotEquals(await colors(), other);
      assertEquals(await page.locator("#image").inputValue(), "2");
      await page.keyboard.press("ArrowRight");
      const moved = await page.evaluate<{ image: number }>("explorer.node()");
      assertEquals(moved.image, 2, "the focus is on the pixel of the image");
      assertEquals(trouble, NOTHING);
    }),
});

Deno.test({
  name: "explorer: hover, overlay, strip, segments, cut, PNG and address follow the reader in one page",
  ignore,
  fn: () =>
    withPage([], async (browser, path, { content }) => {
      const { page, trouble } = await open(browser, path);
      const canvas = (name: string) => page.evaluate<string>(`(${SHOWN})("${name}")`);
      const { slot, image } = content.opening;
      const opened = await page.evaluate<{ slot: number; image: number }>("explorer.node()");
      assertEquals([opened.slot, opened.image], [slot, image], "the view that was computed");

      await leaveFirst(page);
      const clicked = await canvas("similarity");
      const map = page.locator('[data-map="vector"]'), box = (await map.boundingBox())!;
      const { index } = await page.evaluate<{ index: number }>("explorer.node()");
      await map.hover({ position: { x: box.width - 4, y: 4 } });
      await page.locator('[data-map="photo"] .pointed').waitFor();
      assertNotEquals(await canvas("similarity"), clicked, "the similarity follows the pointer");
      assertEquals(await page.evaluate("explorer.node().index"), index, "nothing is clicked");
      await page.mouse.move(2, 2);
      await page.locator('[data-map="photo"] .pointed').waitFor({ state: "hidden" });
      assertEquals(await canvas("similarity"), clicked, "and returns to the clicked pixel");

      const regions = () => page.locator("#regions").innerText();
      const summed = await regions();
      await page.locator("#activation").selectOption("layer");
      await page.waitForFunction(
        `document.querySelector("#regions").innerText !== ${JSON.stringify(summed)}`,
      );
      const few = await canvas("segments");
      await page.locator("#segment-count").focus();
      await page.keyboard.press("End");
      assertNotEquals(await canvas("segments"), few);
      assertEquals(await page.locator("#segment-number").innerText(), "64");

      const caption = page.locator(CUT_CAPTION);
      await caption.filter({ hasText: "two-way normalized cut" }).waitFor();
      const plain = await canvas("cut");
      await page.locator("#pixel").focus();
      for (const key of ["f", "ArrowDown", "g"]) await page.keyboard.press(key);
      await caption.filter({ hasText: "of 2 on their side" }).waitFor();
      assertNotEquals(await canvas("cut"), plain, "marks change the graph");
      assertEquals(await page.locator('[data-map="photo"] .cut-mark').allInnerTexts(), ["F", "G"]);

      await page.locator("#over").selectOption("colors");
      await page.locator("#opacity").fill("100");
      assertEquals(await page.evaluate(OPACITY), "1");

      await page.locator("#nearest button").first().click();
      const near = await page.evaluate<{ image: number }>("explorer.node()");
      assertNotEquals(near.image, image);

      for (const name of ["photo", "cut"]) {
        const waiting = page.waitForEvent("download");
        await page.locator(`button.png[value=${name}]`).click();
        const file = await Deno.readFile((await (await waiting).path())!);
        const size = new DataView(file.buffer);
        assertEquals([size.getUint32(16), size.getUint32(20)], [1024, 819], name);
      }

      const { name } = content.images[near.image]; // not by a function in the page, whose policy forbids texts as scripts
      await page.waitForURL(({ hash }) => new URLSearchParams(hash.slice(1)).get("image") === name);
      const hash = await page.evaluate<string>("location.hash"), before = await page.evaluate<unknown>(STATE);
      const again = await open(browser, `${path}${hash}`);
      assertEquals(await again.page.evaluate(STATE), before, hash);
      await again.page.evaluate("location.hash = '#image=none.png&pixel=99,1&over=nothing'");
      await again.page.locator("#address-note", {
        hasText: "does not have: image none.png, pixel 99,1, over nothing.",
      }).waitFor();
      assertEquals([trouble, again.trouble], [NOTHING, NOTHING]);
    }),
});

/** Every map enlarges to 640 px or to what the window allows, takes clicks there, and goes back where it was. */
async function checkLarge(page: Page, width: number, columns: number): Promise<void> {
  const small = await page.evaluate<number[]>(NARROWEST), least = Math.min(600, width - 40);
  const maps = await page.evaluate<[name: string, ...numbers: number[]][]>(ENLARGED);
  assertEquals(maps.length, 6);
  for (const [name, pixels, outside, ...picked] of maps) {
    assert(pixels >= least, `${name} at ${width} px: ${pixels} px`);
    assertEquals([outside, ...picked], [0, 1, columns], `${name} at ${width} px`);
  }
  assertEquals(await page.evaluate<number[]>(NARROWEST), small, "as wide as before");
  assertEquals(await page.locator("dialog").count(), 0);
}

Deno.test({
  name: "explorer: no overflow and no error in light and dark, wide and 360 px; the scale follows the theme",
  ignore,
  fn: () =>
    withPage([], async (browser, path, { content }) => {
      const maps = new Set<string>();
      for (const colorScheme of ["light", "dark"] as const) {
        for (const width of [360, 768, 1280]) {
          const { page, trouble } = await open(browser, path, { width, colorScheme });
          assertEquals(await horizontalOverflow(page), 0, `${colorScheme} ${width}`);
          assertEquals(trouble, NOTHING, `${colorScheme} ${width}`);
          maps.add((await pictures(page))[1]);
          const narrow = await page.evaluate<number[]>(NARROWEST);
          assert(narrow.every((pixels) => pixels >= 96), `${colorScheme} ${width}: ${narrow} px a map`);
          if (colorScheme === "light") await checkLarge(page, width, content.grid.cols);
          await page.close();
        }
      }
      assertEquals(maps.size, 2);
    }),
});
