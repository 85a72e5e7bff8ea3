import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, colorsFromPoints, openGpu } from "../../mod.ts";
import { spectralColors } from "../../src/embed/spectral_colors.ts";
import { matrixSource } from "../../src/graph/node_source.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { testSeed } from "../support/random.ts";

const note = `seed ${testSeed}`;

Deno.test("spectralColors() gives every node the color of its nearest node of the sample", async () => {
  const gpu = await openGpu();
  const n = 4201, d = 5;
  const x = clusteredNodes(n, d, 6, 0.1, testSeed);
  const options = { sample: 150, iterations: 100, seed: testSeed, quantile: 0.1 };
  const { colors, sample, points, kl } = await spectralColors(gpu, matrixSource(x), options);
  assertEquals([colors.length, sample.length, points.rows], [3 * n, 150, 150]);
  assert(kl > 0 && kl < 5, `${kl}, ${note}`);
  const sampleColors = colorsFromPoints(points, 0.1);
  const distance = (i: number, j: number) => {
    let squares = 0;
    for (let c = 0; c < d; c++) squares += (x.data[i * d + c] - x.data[j * d + c]) ** 2;
    return squares;
  };
  for (let i = 0; i < n; i += 7) {
    let nearest = 0;
    for (let at = 1; at < 150; at++) if (distance(i, sample[at]) < distance(i, sample[nearest])) nearest = at;
    assertEquals(
      [...colors.subarray(3 * i, 3 * i + 3)],
      [...sampleColors.subarray(3 * nearest, 3 * nearest + 3)],
      `node ${i}, ${note}`,
    );
  }
  const again = await spectralColors(gpu, matrixSource(x), options);
  assertEquals(again.colors, colors);
  closeGpu(gpu);
});

Deno.test("colorsFromPoints() clips the same share at both ends of every coordinate", () => {
  const data = Float32Array.from({ length: 303 }, (_, at) => Math.floor(at / 3)); // 0 … 100, three times
  const byHand = (value: number) => Math.round(Math.min(255, Math.max(0, (value - 10) / 80 * 255)));
  const expected = Uint8Array.from({ length: 303 }, (_, at) => byHand(Math.floor(at / 3)));
  assertEquals(colorsFromPoints({ data, rows: 101, cols: 3 }, 0.1), expected);
});

Deno.test("spectralColors() keeps groups together: trustworthy, one group nearer in color than others", async () => {
  const gpu = await openGpu();
  const n = 600, groups = 4;
  const x = clusteredNodes(n, 6, groups, 0.05, testSeed);
  const { colors, trustworthiness } = await spectralColors(gpu, matrixSource(x), { iterations: 300 });
  assert(trustworthiness > 0.9, `${trustworthiness}, ${note}`);
  const mean = (group: number) =>
    [0, 1, 2].map((c) => {
      let sum = 0;
      for (let i = group; i < n; i += groups) sum += colors[3 * i + c];
      return sum * groups / n;
    });
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  const means = Array.from({ length: groups }, (_, group) => mean(group));
  let own = 0;
  for (let i = 0; i < n; i++) {
    const color = colors.subarray(3 * i, 3 * i + 3);
    if (
      means.every((other, g) => g === i % groups || apart(color, means[i % groups]) < apart(color, other))
    ) own++;
  }
  assert(own / n > 0.95, `${own} of ${n}, ${note}`);
  closeGpu(gpu);
});

Deno.test("spectralColors() says what is wrong in one sentence", async () => {
  const gpu = await openGpu();
  const source = matrixSource(clusteredNodes(50, 3, 2, 0.1, 1));
  for (const sample of [3, 10001]) {
    await assertRejects(
      () => spectralColors(gpu, source, { sample }),
      RangeError,
      `sample is ${sample}: t-SNE`,
    );
  }
  await assertRejects(() => spectralColors(gpu, source, { sample: 51 }), RangeError, "has only 50 nodes");
  closeGpu(gpu);
});
