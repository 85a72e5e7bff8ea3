import { assert, assertEquals } from "@std/assert";
import { flowsDrawing } from "../../src/report/charts/flows.ts";
import { standaloneSvg } from "../../src/report/standalone_svg.ts";
import { lightTheme } from "../../src/report/theme.ts";

const FLOWS = {
  from: ["A0", "A1<b>"],
  to: ["B0", "elsewhere"],
  unit: "patches",
  few: 20,
  across: 2,
  panels: [
    { title: "figure", counts: [[30, 10], [0, 5]] },
    { title: "ground", counts: [[0, 0], [0, 0]] },
  ],
};

Deno.test("flowsDrawing() has a ribbon a flow, as high as its count, and says how many and what share", () => {
  const svg = flowsDrawing(FLOWS);
  assertEquals(svg.match(/<path /g)?.length, 3);
  assert(svg.includes("figure, A0 to B0: 30 of 40 patches, 0.75"));
  const heights = [...svg.matchAll(/<path d="M94 ([\d.]+)C[^Z]* 94 ([\d.]+)Z/g)]
    .map(([, from, to]) => Number(to) - Number(from));
  assert(Math.abs(heights[0] / heights[1] - 3) < 0.01, `${heights}`);
  for (const text of ["A0: 40<", "A1&lt;b&gt;: 5 (few)", "elsewhere: 15", "ground: 0 patches"]) {
    assert(svg.includes(text), text);
  }
  assert(/^<svg [^>]*viewBox="0 0 640 /.test(svg));
  assert(/viewBox="0 0 320 /.test(flowsDrawing({ ...FLOWS, across: 1 })));
  assert(!standaloneSvg(svg, lightTheme).includes("var("));
});
