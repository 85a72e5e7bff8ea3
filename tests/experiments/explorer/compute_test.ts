import { assert, assertEquals, assertThrows } from "@std/assert";
import { clickSimilarity, closeGpu, openGpu } from "../../../mod.ts";
import { imagesThatFit, spread } from "../../../src/experiments/explorer/compute.ts";
import { respondOnGpu, respondOnHost } from "../../../src/report/explorer/click_response.ts";
import { fromHalf, halfRow, toHalf } from "../../../src/report/explorer/half.ts";
import { renderExplorer } from "../../../src/report/explorer/page.ts";
import { assertClose } from "../../support/assert_close.ts";
import { randomMatrix, testSeed } from "../../support/random.ts";
import { embeddedRows, sampleExploration, samplePipeline } from "../../support/sample_exploration.ts";

const note = `seed ${testSeed}`;
const TEXT = { method: "By cosine.", settings: { seed: 0 }, command: "./run explorer" };

Deno.test("toHalf() and fromHalf() round as float16 does, small and negative values too", () => {
  const { data, rows, cols } = randomMatrix(40, 7);
  data.set([0, -0, 1e-6, -3e-5, 2 ** -14, 6e-8]);
  const x = { data: data.map((value) => 100 * value), rows, cols }, half = toHalf(x), back = fromHalf(half);
  const own = new Float16Array(half.bits.buffer);
  assertEquals(back.data, Float32Array.from(own, (value) => value * half.scale));
  assertEquals(halfRow(half, 3), back.data.slice(21, 28));
  x.data.forEach((value, i) => {
    const bound = Math.max(Math.abs(value) * 2 ** -11, half.scale * 2 ** -25) * 1.0001;
    assert(Math.abs(back.data[i] - value) <= bound, `${value} became ${back.data[i]}, ${note}`);
  });
  assertEquals(fromHalf(toHalf({ data: new Float32Array(4), rows: 2, cols: 2 })).data, new Float32Array(4));
});

for (const bindingBytes of [undefined, 4096]) {
  Deno.test(`respondOnGpu() and respondOnHost() agree with clickSimilarity() and v′β, bindings of ${bindingBytes ?? "any"} bytes`, async () => {
    const eigenvectors = randomMatrix(331, 6, 1),
      aligned = randomMatrix(331, 7, 2),
      beta = randomMatrix(7, 101, 3);
    const data = {
      eigenvectors,
      beta,
      feature: (node: number) => aligned.data.slice(7 * node, 7 * node + 7),
    };
    const host = respondOnHost(data), gpu = await respondOnGpu(data, () => openGpu({ bindingBytes }));
    try {
      for (const node of [0, 130, 330]) {
        const similarity = clickSimilarity(eigenvectors, { positive: [node] }).similarity;
        const activation = Float32Array.from(
          { length: 101 },
          (_, v) => data.feature(node).reduce((sum, value, d) => sum + value * beta.data[d * 101 + v], 0),
        );
        for (const responder of [host, gpu]) {
          const found = await responder.respond(node);
          assertClose(found.similarity, similarity, { relative: 1e-6, note });
          assertClose(found.activation, activation, { relative: 1e-6, note });
        }
      }
    } finally {
      gpu.close();
    }
  });
}

Deno.test("respondOnGpu() tells what went wrong on the device", async () => {
  const gpu = await openGpu();
  closeGpu(gpu);
  const data = {
    eigenvectors: randomMatrix(5, 2),
    beta: randomMatrix(2, 3),
    feature: () => new Float32Array(2),
  };
  const error = await respondOnGpu(data, () => Promise.resolve(gpu)).catch(({ message }) => message);
  assertEquals(error, "This GPU was closed: open another with openGpu().");
});

Deno.test("explore() carries the chosen images slot by slot, and states what rounding costs", async () => {
  const { pipeline, aligned, beta, images, content, errors } = await sampleExploration();
  assertEquals(images, [0, 1, 2]);
  assertEquals(spread(3, 10), [0, 3, 6]);
  const eigenvectors = embeddedRows(pipeline.eigenvectors, pipeline, images);
  assertClose(fromHalf(content.eigenvectors).data, eigenvectors.data, { relative: 5e-4, note });
  assertClose(fromHalf(content.aligned).data, embeddedRows(aligned, pipeline, images).data, {
    relative: 5e-4,
    note,
  });
  assertClose(fromHalf(content.beta).data, beta.data, { relative: 5e-4, note });
  const second = pipeline.slots[1].first * 3; // the second slot's first node
  const at = 3 * images.length * pipeline.tokens;
  assertEquals(content.colors.slice(at, at + 9), pipeline.colors.slice(second, second + 9));
  assertEquals([...new Set(content.segments)].sort(), [0, 1, 2, 3]);
  assertEquals(content.sheet.map(({ places }) => places.length), [24, 24]);
  assertEquals(content.voxelRois.length, 48);
  assert(errors.similarity > 0 && errors.similarity < 2e-3, `${errors.similarity}, ${note}`);
  assert(errors.activation > 0 && errors.activation < 0.1, `${errors.activation}, ${note}`);
});

Deno.test("imagesThatFit() fills the page, takes no more images than there are, and says when none fits", () => {
  const { pipeline, beta } = samplePipeline();
  assertEquals(imagesThatFit(pipeline, beta), 4);
  const many = (tokens: number, count: number) => ({
    ...pipeline,
    tokens,
    images: new Array(count).fill(pipeline.images[0]),
    slots: new Array(36).fill(pipeline.slots[0]),
    eigenvectors: { data: new Float32Array(20), rows: 1, cols: 20 },
  });
  const encoder = { data: new Float32Array(96 * 3660), rows: 96, cols: 3660 };
  const fit = imagesThatFit(many(197, 100), encoder);
  assert(fit * 36 * 197 * 236 * 4 / 3 < 25e6 && (fit + 1) * 36 * 197 * 236 * 4 / 3 > 22e6, `${fit} images`);
  assertThrows(
    () => imagesThatFit(many(4097, 1), encoder),
    Error,
    "One image of 36 layers takes 46.5 MB: too much for the explorer's page of 25 MB",
  );
});

Deno.test("renderExplorer() escapes names, allows its own script alone and carries the shaders as they are", async () => {
  const { content } = await sampleExploration();
  const page = await renderExplorer(content, TEXT);
  assertEquals(page.match(/<\/script>/g)!.length, 7);
  assert(!/<img src=x/.test(page));
  const script = page.match(/<script type="module">([\s\S]*?)<\/script>/)![1];
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
  assert(page.includes(`script-src 'sha256-${new Uint8Array(digest).toBase64()}'; base-uri`));
  for (const shader of ["row_normalize", "matmul"]) {
    const code = await Deno.readTextFile(new URL(`../../../shaders/${shader}.wgsl`, import.meta.url));
    assert(script.includes(JSON.stringify(code)), shader);
  }
  assert(
    !/\b(?:eval|fetch|XMLHttpRequest|WebSocket|import)\s*\(/.test(script),
    "a request or eval in the script",
  );
});
