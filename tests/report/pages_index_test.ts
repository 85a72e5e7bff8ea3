import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { writeIndexPage } from "../../src/experiments/shared/index_page.ts";
import { effectWords } from "../../src/report/claims.ts";
import { leadFigure } from "../../src/report/lead_figure.ts";
import { headOfPage } from "../../src/report/page.ts";
import { type Claim, mergeResults, readResults, type Verdict } from "../../src/report/results.ts";
import { writePage } from "../../src/report/write_page.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const PAGE = { method: "So.", sections: [], settings: {}, command: "c" };

const claim = (id: string, verdict: Verdict): Claim => ({
  id,
  verdict,
  paper: `${id} <b>`,
  measured: "m",
  statistic: "s",
  cells: [{
    model: "a",
    unit: "of r",
    ...(verdict !== "not testable" && { effect: 0.25, low: -0.05, high: 0.5, p: 0.01 }),
    n: 3,
    verdict: verdict === "partly" ? "shown" : verdict,
  }],
});

async function writeResults(out: string, experiments: Record<string, Claim[]>): Promise<void> {
  await mergeResults(`${out}/results.json`, {
    version: "1",
    deno: "2",
    seed: 0,
    command: "c",
    timings: {},
    adapter: { description: "made-up adapter", software: true },
    inputs: { models: [], images: 1, nodes: 1, data: "embedded" },
    memory: { peak_rss_mb: 1, peak_gpu_mb: 1 },
    experiments: Object.fromEntries(
      Object.entries(experiments).map(([name, claims]) => [name, { metrics: {}, claims }]),
    ),
  });
}

Deno.test("writeIndexPage() has a card for every page with its verdicts, those of earlier runs and the explorer", () =>
  inTemporaryFolder(async (out) => {
    await writeResults(out, {
      colors: [claim("a", "shown"), claim("b", "not shown"), claim("c", "shown")],
      earlier: [claim("d", "not testable")],
      gone: [claim("e", "shown")],
    });
    const hostile = `Why "<script>'&amp;"?`;
    for (const name of ["colors", "earlier", "explorer"]) {
      await writePage(`${out}/${name}.html`, { ...PAGE, title: name, question: hostile });
    }
    const path = await writeIndexPage(out, { colors: `${out}/colors.html` }, "./run reproduce");
    const page = await Deno.readTextFile(path);
    const links = [...page.matchAll(/<h3><a href="([^"]+)">/g)].map((match) => match[1]);
    assertEquals(links, ["colors.html", "earlier.html", "explorer.html"]);
    assertEquals([...page.matchAll(/<summary class="counts">([^<]*)</g)].map((match) => match[1]), [
      "3 claims: 2 shown, 1 not shown",
      "1 claim: 1 not testable here",
    ]);
    assertStringIncludes(page, "what became of them: 4 claims: 2 shown, 1 not shown, 1 not testable here.");
    assertStringIncludes(page, '<a href="colors.html#claim-b">b &lt;b&gt;</a>');
    assertStringIncludes(page, "Effect: 0.250 of r (−0.050 to 0.500)<");
    assert(!page.includes("<script"), "nothing runs where there is no explorer");
    assertEquals(headOfPage(await Deno.readTextFile(`${out}/colors.html`))?.question, hostile);
    assert(page.includes("Why &quot;&lt;script&gt;&#39;&amp;amp;&quot;?"));
  }));

Deno.test("writeIndexPage() says of which run each page is, where they are of several", () =>
  inTemporaryFolder(async (out) => {
    await writeResults(out, { concepts: [claim("a", "shown")] });
    const { schema: _, ...results } = (await readResults(`${out}/results.json`))!;
    await mergeResults(`${out}/results.json`, {
      ...results,
      seed: 5,
      command: "./run reproduce --images p",
      inputs: { ...results.inputs, data: "photographs" },
      experiments: { photographs: { metrics: {}, claims: [] } },
    });
    for (const name of ["concepts", "photographs"]) {
      await writePage(`${out}/${name}.html`, { ...PAGE, title: name, question: "?" });
    }
    const page = await Deno.readTextFile(await writeIndexPage(out, {}, "c"));
    assertStringIncludes(page, "Of the synthetic dataset, seed 0: c<");
    assertStringIncludes(page, "Of photographs, seed 5: ./run reproduce --images p<");
    assertStringIncludes(page, '<a href="concepts.html#claim-a">');
    assertStringIncludes(page, "hold on these data: the synthetic dataset; photographs?");
  }));

Deno.test("writeIndexPage() needs results, and pages that are pages", () =>
  inTemporaryFolder(async (out) => {
    await assertRejects(() => writeIndexPage(out, {}, "c"), Error, "results.json: run an experiment first.");
    await writeResults(out, { colors: [] });
    await Deno.writeTextFile(`${out}/colors.html`, "<h1>Mine</h1>");
    await assertRejects(
      () => writeIndexPage(out, {}, "c"),
      Error,
      "colors.html is not a page of this toolkit",
    );
  }));

Deno.test("leadFigure() takes the first drawing, cut off where it is tall, or different pictures; ids are the card's own", () => {
  const drawing = (kind: string, height: number) =>
    `<div class="${kind}" role="group" aria-label="a"><svg width="9" height="${height}" viewBox="0 0 100 ${height}"><g id="x"/><use href="#x" clip-path="url(#x)"/></svg></div>`;
  const page = `<main><figure id="f"><div>${drawing("wide", 50)}${
    drawing("narrow", 900)
  }</div></figure></main>`;
  const { markup } = leadFigure(page, "n")!;
  assertStringIncludes(markup, 'viewBox="0 0 100 140"');
  assertStringIncludes(markup, '<g id="card-n-x"/><use href="#card-n-x" clip-path="url(#card-n-x)"/>');
  const image = (name: string) => `<img alt="" src="data:image/png;base64,${name}">`;
  const pictures = leadFigure(`<main>${image("a")}${image("a")}${image("b")}</main>`, "n")!.markup;
  assertEquals(pictures.match(/base64,./g), ["base64,a", "base64,b"]);
  assertEquals(leadFigure("<main><p>None.</p></main>", "n"), undefined);
});

Deno.test("effectWords() has the range of several tests, by unit, and nothing of what was not tested", () => {
  const cell = (unit: string, effect?: number) => ({
    model: "m",
    unit,
    ...(effect !== undefined && { effect, low: effect - 1, high: effect + 1, p: 0.5 }),
    n: 9,
    verdict: "not shown" as const,
  });
  assertEquals(
    effectWords([cell("of r", 0.5), cell("of r", -0.25), cell("points", 23), cell("of A")]),
    "−0.25 to 0.50 of r; 23.0 points (22.0 to 24.0)",
  );
});
