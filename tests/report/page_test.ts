import { assert, assertEquals, assertThrows } from "@std/assert";
import { decode } from "fast-png";
import { figure, formatNumber, settingsList, table } from "../../src/report/blocks.ts";
import { colorGrid } from "../../src/report/color_grid.ts";
import { gridDrawings } from "../../src/report/grid_drawing.ts";
import { claimCounts, testedClaims, verdictOf } from "../../src/report/claims.ts";
import { effectScale, effectWhisker } from "../../src/report/charts/effect_whisker.ts";
import { mapSheet } from "../../src/report/map_sheet.ts";
import { escapeHtml, html, rawHtml } from "../../src/report/html.ts";
import { renderPage } from "../../src/report/page.ts";
import type { Cell } from "../../src/report/results.ts";
import { pngDataUri } from "../../src/report/tiny_png.ts";
import { samplePage } from "../support/sample_page.ts";

const evil = `<script>alert("1")</script>'&`;

const CELL = {
  model: "clip",
  unit: "of r",
  effect: 1,
  low: -0.5,
  high: 2,
  p: 0.001,
  n: 20,
  verdict: "shown" as const,
};
const CLAIM = { paper: "p", measured: "m", statistic: "s" };
const claimWith = (id: string, ...verdicts: Cell["verdict"][]) => {
  const cells = verdicts.map((verdict) => verdict === "not testable" ? { ...GONE } : { ...CELL, verdict });
  return { ...CLAIM, id, cells, verdict: verdictOf(cells) };
};
const GONE = { model: "mae", unit: "of r", n: 2, note: "needs 5 units", verdict: "not testable" as const };

const page = {
  title: "Colors",
  question: "Why?",
  method: "So.",
  sections: [],
  settings: {},
  command: "./run colors",
};

Deno.test("html escapes every part but markup, in text and in attributes", () => {
  assertEquals(escapeHtml(evil), "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;");
  assertEquals(html`<b title="${evil}">${[evil, 1, rawHtml("<i>")]}</b>`.markup.match(/<[^>]+>/g), [
    '<b title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;">',
    "<i>",
    "</b>",
  ]);
});

Deno.test("renderPage() and the blocks let no text become markup", () => {
  const claim = {
    id: evil,
    paper: evil,
    measured: evil,
    statistic: evil,
    verdict: "shown" as const,
    cells: [{ ...CELL, model: evil, setting: evil, unit: evil, note: evil }],
  };
  const cell = pngDataUri(1, 1, new Uint8Array(3));
  const body = [
    table({ caption: evil, columns: [evil, evil], rows: [[evil, evil]] }),
    figure({ image: { dataUri: cell }, caption: evil, alt: evil }),
    colorGrid({ label: evil, columns: [evil], rows: [{ label: evil, photo: cell, cells: [cell] }] }),
    settingsList({ [evil]: evil }),
  ];
  const sections = [{ heading: evil, body }];
  const out = renderPage({
    ...page,
    title: evil,
    question: evil,
    method: evil,
    command: evil,
    sections,
    claims: [claim],
  });
  assertEquals(out.match(/<script/g)?.length, 1);
  assert(!out.includes(evil));
});

Deno.test("renderPage() allows its own script by its hash and nothing else", async () => {
  const out = renderPage(page);
  const script = /<script>(.*)<\/script>/s.exec(out)![1];
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script)))
    .toBase64();
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(out)![1];
  assert(policy.startsWith("default-src 'none'; img-src data:;"), policy);
  assert(policy.includes(`script-src 'sha256-${hash}';`), policy);
  assert(!/script-src[^;]*unsafe/.test(policy), policy);
});

Deno.test("renderPage() refuses links that leave the folder", () => {
  for (const href of ["https://example.org/", "../x.html", "javascript:alert(1)", "//x"]) {
    assertThrows(
      () => renderPage({ ...page, beside: { home: { title: "x", href } } }),
      TypeError,
      `found "${href}"`,
    );
  }
  const beside = { home: { title: "All", href: "index.html" }, next: { title: "Cuts", href: "cuts.html" } };
  const out = renderPage({ ...page, beside });
  assertEquals(out.match(/<a class="home" href="index.html">All<\/a>/g)?.length, 2);
  assert(out.includes('<a class="next" href="cuts.html">Cuts →</a>') && !out.includes("previous"));
  assert(/<nav class="beside" aria-label="Pages"\s+hidden><\/nav>/.test(renderPage(page)));
});

Deno.test("renderPage() puts the first section with a picture before the method, and claims folded at the end", () => {
  const body = figure({ image: { dataUri: pngDataUri(1, 1, new Uint8Array(3)) }, caption: "c", alt: "a" });
  const claims = [
    { ...claimWith("a", "shown", "not shown"), false_alarm: { rate: 0.03, worlds: 100 } },
    { ...claimWith("c", "not testable"), paper: "q" },
  ];
  const sections = [{ heading: "Words", body: [] }, { heading: "Picture", body }];
  const out = renderPage({ ...page, sections, claims });
  const headings = [...out.matchAll(/<h2 id="[^"]+">([^<]+)</g)].map((match) => match[1]);
  assertEquals(headings, ["Picture", "Method", "Words", "Claims", "Settings", "Make it again"]);
  assertEquals([...out.matchAll(/<li><a href="#part-\d">([^<]+)</g)].map((match) => match[1]), headings);
  assert(out.includes('<details class="claims"><summary>2 claims: 1 partly, 1 not testable here</summary>'));
  assertEquals(out.match(/id="claim-/g)?.length, 2);
  assertEquals(out.match(/<svg class="whisker"/g)?.length, 2); // what cannot be tested has none
  for (
    const text of [
      "False alarms: 3 of 100 simulations",
      "1.00 (−0.50 to 2.00) of r, p = 0.001, n = 20",
      "needs 5 units",
    ]
  ) {
    assert(out.includes(text), text);
  }
  const numbers = table({ caption: "c", columns: ["a"], rows: [["b"]] });
  const split = renderPage({ ...page, sections: [{ heading: "Picture", body: [body, numbers, body] }] });
  assertEquals([...split.matchAll(/<h2 id="[^"]+">([^<]+)</g)].map((match) => match[1]).slice(0, 3), [
    "Picture",
    "Method",
    "Picture: numbers",
  ]);
});

Deno.test("testedClaims() counts a claim once, whatever experiments and models it was tested in", () => {
  const claims = [claimWith("a", "shown"), claimWith("b", "not shown", "not testable")];
  const [merged, ...others] = testedClaims(claims);
  assertEquals([others.length, merged.id, merged.cells.length, merged.verdict], [0, "a", 3, "partly"]);
  assertEquals(claimCounts(claims), "1 claim: 1 partly");
  assertEquals(claimCounts([claimWith("a", "not testable")]), "1 claim: 1 not testable here");
});

Deno.test("effectWhisker() draws the effect, its interval and zero on one scale", () => {
  const scale = effectScale([CELL, { effect: 3, low: 2, high: 4 }, {}]);
  assertEquals(scale, { from: -0.5, to: 4, largest: 4 });
  const svg = effectWhisker(CELL, scale);
  const x = (value: number) => (8 + 224 * (value + 0.5) / 4.5).toFixed(1);
  for (const [name, value] of [["cx", 1], ["x1", 0], ["x2", 2]] as const) {
    assert(svg.includes(`${name}="${x(value)}"`), `${name} of ${svg}`);
  }
  assert(svg.includes('aria-label="effect 1.00, interval -0.500 to 2.00"'));
  assertEquals(effectScale([{}]), { from: -1, to: 1, largest: 0 });
});

Deno.test("table() folds more than 12 rows", () => {
  const rows = (count: number) => Array.from({ length: count }, (_, i) => [`r${i}`, i]);
  const draw = (count: number) => table({ caption: "c", columns: ["name", "n"], rows: rows(count) }).markup;
  assert(!draw(12).includes("<details"));
  assert(draw(13).includes('<details class="folded"><summary>c (13 rows)</summary>'));
});

Deno.test("table() puts columns of numbers at the right and refuses ragged rows and NaN", () => {
  const out = table({ caption: "c", columns: ["name", "value"], rows: [["a", 1], ["b", -0.25]] }).markup;
  assert(
    /<td class="number" data-label="value">−0.250<\/td>/.test(out) && /<th scope="row"\s*>a<\/th>/.test(out),
    out,
  );
  assert(/<td class="number" data-label="value">1.000<\/td>/.test(out), "like digits in a column");
  const whole = table({ caption: "c", columns: ["name", "n"], rows: [["a", 1], ["b", 1234]] }).markup;
  assert(/>1<\/td>/.test(whole) && />1,234<\/td>/.test(whole), whole);
  assertThrows(
    () => table({ caption: "c", columns: ["a"], rows: [["x", 1]] }),
    RangeError,
    "has 2 cells, expected 1",
  );
  assertThrows(() => table({ caption: "c", columns: ["a"], rows: [[NaN]] }), RangeError, "given NaN");
});

Deno.test("formatNumber() keeps whole numbers whole and small numbers legible", () => {
  const shown = [3, 1234567, 0.5, -0.12345, 0.0000091, 0].map((value) => formatNumber(value, 3));
  assertEquals(shown, ["3", "1,234,567", "0.500", "−0.123", "9.1e−6", "0"]);
});

Deno.test("figure() and colorGrid() take pictures that are inside the page only", () => {
  const outside = { dataUri: "https://example.org/a.png" };
  assertThrows(() => figure({ image: outside, caption: "", alt: "" }), TypeError, "must be a data:image URI");
  const photo = pngDataUri(1, 1, new Uint8Array(3));
  const row = { label: "horse.png", photo, cells: [photo] };
  assertThrows(() => colorGrid({ label: "", columns: ["L1", "L2"], rows: [row] }), RangeError, "horse.png");
  const shape = { label: "", columns: ["2"], rows: [{ ...row, cells: [photo] }] };
  assert(colorGrid(shape).markup.includes('aria-label="image horse.png"'));
  assert(colorGrid({ ...shape, corner: "1 <b>" }).markup.includes('aria-label="1 &lt;b&gt; horse.png"'));
  const twelve = Array.from({ length: 12 }, (_, i) => `L${i}`);
  const wide = colorGrid({ label: "", columns: twelve, rows: [{ ...row, cells: twelve.map(() => photo) }] });
  assert(wide.markup.includes("--across: 6; --lines: 2"));
  const remote = { ...row, cells: ["a.png"] };
  assertThrows(() => colorGrid({ label: "", columns: ["L1"], rows: [remote] }), TypeError, '"a.png"');
});

Deno.test("colorGrid() folds what is beyond six rows, unless it is little; the file of the grid has them all", () => {
  const photo = pngDataUri(1, 1, new Uint8Array(3));
  const grid = (count: number) =>
    colorGrid({
      label: "maps",
      columns: ["L1"],
      rows: Array.from({ length: count }, (_, i) => ({ label: `image ${i}`, photo, cells: [photo] })),
    }).markup;
  assert(!grid(8).includes("<details"));
  const [seen, more] = grid(9).split('<details class="more"><summary>3 more images</summary>');
  assertEquals([seen, more].map((part) => part.split('class="row"').length - 1), [6, 3]);
  for (const count of [8, 9]) {
    const places = [...gridDrawings(grid(count))[0].svg.matchAll(/<image x="(\d+)" y="(\d+)"/g)];
    assertEquals(places.length, 2 * count);
    assertEquals(new Set(places.map(([, , y]) => y)).size, count, "a line for every row");
  }
});

Deno.test("colorGrid() has a key where its colors are numbers; mapSheet() goes on in a next line, of no width cut", () => {
  const photo = pngDataUri(1, 1, new Uint8Array(3)), rows = [{ label: "a", photo, cells: [photo] }];
  const bar = { title: "cosine", ends: ["0", "1"] as const, colors: ["rgb(0 0 0)", "rgb(9 9 9)"] };
  const { markup } = colorGrid({ label: "", columns: ["L1"], rows, bar });
  assert(markup.includes("linear-gradient(90deg, rgb(0 0 0), rgb(9 9 9))"));
  const maps = ["L1", "L2 <b>", "L3"].map((name) => ({ name, picture: photo }));
  const sheet = mapSheet({ blocks: [{ photo, rows: [{ label: "m", maps }] }], across: 2, side: 10 });
  assertEquals([...sheet.matchAll(/<image x="(\d+)" y="(\d+)"/g)].map(([, x, y]) => [x, y].map(Number)), [
    [0, 36],
    [13, 36],
    [26, 36],
    [13, 67],
  ]);
  assert(sheet.includes('viewBox="0 0 36 86"') && sheet.includes(">L2 &lt;b&gt;</text>"));
});

Deno.test("pngDataUri() keeps every pixel and refuses a wrong size", () => {
  const rgb = Uint8Array.from({ length: 14 * 14 * 3 }, (_, i) => (i * 37) % 256);
  const bytes = Uint8Array.fromBase64(pngDataUri(14, 14, rgb).replace("data:image/png;base64,", ""));
  const { width, height, channels, data } = decode(bytes);
  assertEquals([width, height, channels], [14, 14, 3]);
  assertEquals(Uint8Array.from(data), rgb);
  assertThrows(() => pngDataUri(14, 14, rgb.subarray(1)), RangeError, "needs 588 bytes, found 587");
});

Deno.test("a page with 24 images x 12 layers stays below 2 MB and is the same every time", async () => {
  const out = await samplePage();
  assert(out.length < 2e6, `${out.length} bytes`);
  assertEquals(out, await samplePage());
  const ids = [...out.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
  assertEquals(ids.length, new Set(ids).size);
});
