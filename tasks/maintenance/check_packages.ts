/**
 * Checks that the packages with native code load and work: each is asked for one small answer.
 * Run by `./run` after an installation; exits with 1 and one line for each package that fails.
 */

async function countNeighbors(): Promise<boolean> {
  const { HierarchicalNSW } = (await import("hnswlib-node")).default;
  const index = new HierarchicalNSW("l2", 2);
  index.initIndex(2);
  index.addPoint([0, 0], 0);
  index.addPoint([1, 1], 1);
  return index.searchKnn([0.9, 0.9], 1).neighbors[0] === 1;
}

async function encodePixel(): Promise<boolean> {
  const { default: sharp } = await import("sharp");
  const pixel = { create: { width: 1, height: 1, channels: 3 as const, background: "#fff" } };
  return (await sharp(pixel).png().toBuffer()).length > 0;
}

async function listBackends(): Promise<boolean> {
  const { default: onnxruntime } = await import("onnxruntime-node");
  return onnxruntime.listSupportedBackends().some(({ name }) => name === "cpu");
}

async function drawSquare(): Promise<boolean> {
  const { Resvg } = await import("@resvg/resvg-js");
  const square =
    '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"><path d="M0,0h2v2h-2Z"/></svg>';
  return new Resvg(square).render().pixels.length === 16;
}

const checks = {
  "hnswlib-node": countNeighbors,
  sharp: encodePixel,
  "onnxruntime-node": listBackends,
  "@resvg/resvg-js": drawSquare,
};

for (const [name, check] of Object.entries(checks)) {
  try {
    if (!await check()) throw new Error("it gave a wrong answer");
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    console.error(`${name} does not work: ${reason}. Delete node_modules and .cache, then run again.`);
    Deno.exitCode = 1;
  }
}
