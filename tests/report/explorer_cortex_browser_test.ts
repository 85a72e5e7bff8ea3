import { assertEquals, assertNotEquals } from "@std/assert";
import { chromiumPath, horizontalOverflow } from "../support/browser.ts";
import { leaveFirst, NOTHING, open, withPage } from "../support/explorer_in_browser.ts";
import { surfaceSheet } from "../support/sample_exploration.ts";

const ignore = chromiumPath === undefined;
/** Whether the cortex is drawn sharp, as it is in rest, and its picture now and two frames later. */
const CORTEX = `(async () => {
  const canvas = document.querySelector("#cortex canvas"), first = canvas.toDataURL();
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  return [canvas.width > 1.4 * canvas.clientWidth, first, canvas.toDataURL()];
})()`;

Deno.test({
  name: "explorer: the cortex turns by pointer, keys and buttons, says its values, and follows clicks",
  ignore,
  fn: async () =>
    await withPage([], async (browser, path) => {
      const { page, trouble } = await open(browser, path);
      await leaveFirst(page);
      const cortex = page.locator("#cortex canvas");
      const picture = () => page.evaluate<string>("document.querySelector('#cortex canvas').toDataURL()");
      /** Waits for the sharp picture of a cortex that rests, another one than before. */
      const next = async (before: string) => {
        for (let i = 0; i < 1000; i++) {
          const [isSharp, now, later] = await page.evaluate<[boolean, string, string]>(CORTEX);
          if (isSharp && now === later && now !== before) break;
        }
        return await picture();
      };
      const behind = await picture();
      await page.locator("#cortex button[value=inner]").click();
      const inner = await next(behind);
      assertNotEquals(inner, behind);
      assertEquals(await page.locator('#cortex [aria-pressed="true"]').innerText(), "Inner sides");
      await cortex.focus();
      await page.keyboard.press("ArrowLeft");
      const turned = await next(inner);
      assertNotEquals(turned, inner);
      await page.keyboard.press("ArrowRight");
      assertEquals(await next(turned), inner, "the same bits from the same place");

      const box = (await cortex.boundingBox())!, middle = [box.x + box.width / 2, box.y + box.height / 2];
      await page.mouse.move(middle[0], middle[1]);
      await page.mouse.down();
      await page.mouse.move(middle[0] + 60, middle[1] + 10, { steps: 3 });
      await page.mouse.up();
      const dragged = await next(inner);
      assertNotEquals(dragged, inner);

      await page.locator("#cortex button[value=flat]").click();
      const flat = await next(dragged);
      const said = new Set(
        await page.evaluate<string[]>(`(() => {
        const canvas = document.querySelector("#cortex canvas"), box = canvas.getBoundingClientRect(), said = [];
        for (let x = 4; x < box.width; x += 8) {
          for (let y = 4; y < box.height; y += 8) {
            const at = { clientX: box.left + x, clientY: box.top + y };
            canvas.dispatchEvent(new PointerEvent("pointermove", at));
            said.push(document.getElementById("voxel").textContent);
          }
        }
        return said;
      })()`),
      );
      const values = [...said].filter((text) =>
        /^(V1|FFA), (left|right) hemisphere: [+−]?\d.*one voxel$/.test(text)
      );
      assertEquals(new Set(values.map((text) => text.split(":")[0])).size, 4, [...said].join("; "));

      await page.locator('[data-map="colors"]').click({ position: { x: 5, y: 5 } });
      assertNotEquals(await next(flat), flat);
      assertEquals(trouble, NOTHING);
      for (const colorScheme of ["light", "dark"] as const) {
        const { page, trouble } = await open(browser, path, { width: 360, colorScheme });
        assertEquals([await horizontalOverflow(page), trouble], [0, NOTHING], colorScheme);
      }
    }, await surfaceSheet()),
});
