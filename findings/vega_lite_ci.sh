#!/bin/sh
# vega-lite 6.4.3 on vega 6.4.0: an error bar or band of extent "ci" is drawn otherwise each time, from the same specification.
#
# Guess: a confidence interval is a function of the data; the same specification gives the same SVG, byte by byte.
# Seen: two renderings in one process differ. The interval is a bootstrap of 1,000 samples by Math.random; "stderr" and "stdev"
#       repeat. Among 40 renderings of 12 values of standard deviation 2.2 the upper end moves by more than a tenth of the
#       interval's half. After vega.setRandom(vega.randomLCG(1)) before each rendering, the bytes are equal.
# So:   a report that is compared or cached by its bytes needs that call, or intervals computed beforehand and drawn as rules.
#
# Needs node 20 or later and npm. Exits 0 while this holds, 1 when it has changed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund vega@6.4.0 vega-lite@6.4.3
cat >draw.mjs <<'JS'
import * as vega from "vega";
import { compile } from "vega-lite";
const values = Array.from({ length: 12 }, (_, i) => ({ score: 3 * Math.sin(1.7 * i) }));
const view = async (extent) => {
  const { spec } = compile({
    data: { values },
    mark: { type: "errorbar", extent },
    encoding: { y: { field: "score", type: "quantitative", scale: { domain: [-4, 4] } } },
  });
  return await new vega.View(vega.parse(spec), { renderer: "none" }).runAsync();
};
const svg = async (extent) => await (await view(extent)).toSVG();
const equal = {};
for (const extent of ["stderr", "stdev", "ci"]) equal[extent] = await svg(extent) === await svg(extent);
const seeded = [];
for (let i = 0; i < 2; i++) {
  vega.setRandom(vega.randomLCG(1));
  seeded.push(await svg("ci"));
}
vega.setRandom(Math.random);
const ends = [], halves = [];
for (let i = 0; i < 40; i++) {
  const [{ lower_score: lower, upper_score: upper }] = (await view("ci")).data("data_0");
  ends.push(upper);
  halves.push((upper - lower) / 2);
}
const spread = (Math.max(...ends) - Math.min(...ends)) / (halves.reduce((a, b) => a + b) / halves.length);
console.log("the same bytes twice:", JSON.stringify(equal), "seeded ci:", seeded[0] === seeded[1], "upper end moves by", spread.toFixed(2), "halves");
const holds = equal.stderr && equal.stdev && !equal.ci && seeded[0] === seeded[1] && spread > 0.1;
console.log(holds ? "holds" : "changed: this finding no longer holds");
process.exit(holds ? 0 : 1);
JS
node draw.mjs
