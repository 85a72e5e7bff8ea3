import { assert, assertEquals, assertThrows } from "@std/assert";
import { clickSimilarity, closeGpu, openGpu } from "../../../mod.ts";
import { frontImages, imagesThatFit } from "../../../src/experiments/explorer/compute.ts";
import { spread } from "../../../src/report/explorer/spread.ts";
import { fewerImages } from "../../../src/report/explorer/fewer_images.ts";
import { openingView } from "../../../src/experiments/explorer/opening_view.ts";
import { respondOnGpu, respondOnHost, sumOverSlots } from "../../../src/report/explorer/click_response.ts";
import { fromHalf, halfRow, toHalf } from "../../../src/report/explorer/half.ts";
import { renderExplorer } from "../../support/render_explorer.ts";
import { assertClose } from "../../support/assert_close.ts";
import { randomMatrix, testSeed } from "../../support/random.ts";
import { embeddedRows, sampleExploration, samplePipeline } from "../../support/sample_exploration.ts";

const note = `seed ${testSeed}`;
const TEXT = { method: "By cosine.", settings: { seed: 0 }, command: "./run explorer" };

Deno.test("toHalf() makes no list of numbers on the way, at three sizes", () => {
  for (const rows of [1e5, 2e5, 4e5]) {
    const x = { data: new Float32Array(8 * rows).fill(0.1), rows, cols: 8 };
    const before = Deno.memoryUsage().heapUsed, { bits } = toHalf(x);
    const grown = Deno.memoryUsage().heapUsed - before;
    assert(grown < 20e6, `${bits.length} numbers: ${grown} bytes of heap`); // a list of the fewest is 34 MB
  }
});

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
    const data = { eigenvectors, beta };
    const feature = (node: number) => aligned.data.slice(7 * node, 7 * node + 7);
    const host = respondOnHost(data), gpu = await respondOnGpu(data, () => openGpu({ bindingBytes }));
    try {
      for (const node of [0, 130, 330]) {
        const similarity = clickSimilarity(eigenvectors, { positive: [node] }).similarity;
        const activation = Float32Array.from(
          { length: 101 },
          (_, v) => feature(node).reduce((sum, value, d) => sum + value * beta.data[d * 101 + v], 0),
        );
        for (const responder of [host, gpu]) {
          const found = await responder.respond(node, feature(node));
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
  const data = { eigenvectors: randomMatrix(5, 2), beta: randomMatrix(2, 3) };
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
  assertEquals(content.segmentParents.length, 64);
  assert(content.segments.every((segment) => segment < 64));
  assert(content.activationLimits.sum > content.activationLimits.layer, note);
  assertEquals(content.sheet.map(({ places }) => places.length), [24, 24]);
  assertEquals(content.voxelRois.length, 48);
  assert(errors.similarity > 0 && errors.similarity < 2e-3, `${errors.similarity}, ${note}`);
  assert(errors.activation > 0 && errors.activation < 0.1, `${errors.activation}, ${note}`);
});

Deno.test("sumOverSlots() adds the features of all slots at a node's place", () => {
  const aligned = randomMatrix(3 * 2 * 5, 4),
    feature = (node: number) => aligned.data.slice(4 * node, 4 * node + 4);
  const sum = sumOverSlots(feature, 10 + 7, { slots: 3, images: 2, tokens: 5 });
  const expected = Float32Array.from(
    { length: 4 },
    (_, c) => [7, 17, 27].reduce((sum, node) => sum + aligned.data[4 * node + c], 0),
  );
  assertClose(sum, expected, { relative: 1e-6, note });
});

/** Four slots of two images: only slots 1 and 2 have colors that differ within an image; 2 parts figure and ground. */
function openingSample(masked: boolean) {
  const grid = { rows: 4, cols: 4 }, tokens = 17, layout = { slots: 4, images: 2, tokens, grid };
  const n = 4 * 2 * tokens, { data } = randomMatrix(n, 3), colors = new Uint8Array(3 * n).fill(90);
  const inside = (token: number) => [6, 7, 10, 11].includes(token);
  for (let node = 0; node < n; node++) {
    const slot = Math.floor(node / (2 * tokens)),
      image = Math.floor(node / tokens) % 2,
      token = node % tokens;
    const isInHalf = image === 0 ? token <= 8 : (token - 1) % 4 < 2;
    if (slot === 1) colors.fill(120 * Number(isInHalf) * (1 + image), 3 * node, 3 * node + 3);
    if (slot === 2) colors.fill(120 * Number(inside(token)), 3 * node, 3 * node + 3);
    // A flat slot that parts them too.
    if (slot >= 2) data.set([1, inside(token) ? 2 : -2, 0], 3 * node);
  }
  const mask = () =>
    Promise.resolve({
      width: 4,
      height: 4,
      data: Uint8Array.from({ length: 16 }, (_, i) => Number(inside(i + 1))),
    });
  const images = [0, 1].map((i) => ({
    name: `${i}`,
    load: () => Promise.reject(new Error("not asked for")),
    ...(masked && { mask }),
  }));
  return openingView({ data, rows: n, cols: 3 }, colors, layout, images);
}

Deno.test("openingView() takes the layer that parts figure and ground best, of those that are not flat", async () => {
  const { slot, token, reason } = await openingSample(true);
  assertEquals([slot, [6, 7, 10, 11].includes(token)], [2, true]);
  assert(reason.includes("balanced accuracy 1.00"), reason);
});

Deno.test("openingView() without masks takes the layer whose colors show most of what is in the images, and the image where they are spread most", async () => {
  const { slot, image, reason } = await openingSample(false);
  assertEquals([slot, image], [1, 1]);
  assert(reason.includes("most of what is in the images"), reason);
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

Deno.test("fewerImages() keeps every node of the images kept, and the opening view; frontImages() has that among them", async () => {
  const { content } = await sampleExploration(), opening = { ...content.opening, image: 2 };
  const all = { ...content, opening };
  assertEquals(frontImages(all), [0, 1, 2], "a small page has all of them");
  const few = fewerImages(all, [0, 2]), { tokens } = content, { cols, bits } = content.eigenvectors;
  assertEquals([few.opening.image, few.images.length], [1, 2]);
  assertEquals(few.eigenvectors.rows, content.slots.length * 2 * tokens);
  // The second slot's last image, last token.
  const [node, was] = [4 * tokens - 1, 6 * tokens - 1];
  assertEquals(
    few.eigenvectors.bits.slice(node * cols, (node + 1) * cols),
    bits.slice(was * cols, (was + 1) * cols),
  );
  assertEquals(few.colors.slice(3 * node, 3 * node + 3), content.colors.slice(3 * was, 3 * was + 3));
  assertEquals(few.segments[node], content.segments[was]);
  assertThrows(() => fewerImages(all, [0]), RangeError, "The opening view is of image 2, which is not among");
});
