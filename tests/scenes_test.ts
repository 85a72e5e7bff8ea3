import { assert, assertEquals, assertThrows } from "@std/assert";
import { dumpScenes } from "../fixtures/scenes/dump.ts";
import {
  BACKGROUNDS,
  CATEGORIES,
  type Part,
  PARTS,
  renderScene,
  type Scene,
  SCENE_SIZE,
  type SceneOptions,
} from "../fixtures/scenes/mod.ts";

const PIXELS = SCENE_SIZE * SCENE_SIZE;

/** Scenes that several tests look at, rendered once. */
let shared: Scene[] | undefined;
function sampleScenes(): Scene[] {
  return shared ??= Array.from({ length: 600 }, (_, i) => renderScene(30_000 + i));
}

function figureArea(scene: Scene): number {
  return scene.figure.reduce((sum, value) => sum + value, 0) / PIXELS;
}

function meanFigureColor(scene: Scene): number[] {
  const sum = [0, 0, 0];
  for (let i = 0; i < PIXELS; i++) {
    if (scene.figure[i] === 1) {
      for (let channel = 0; channel < 3; channel++) sum[channel] += scene.rgb[3 * i + channel];
    }
  }
  return sum.map((value) => value / (figureArea(scene) * PIXELS));
}

async function sha256(chunks: Uint8Array[]): Promise<string> {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("renderScene() gives the committed bytes for a seed", async () => {
  const text = new TextEncoder();
  const chunks = [0, 1, 2, 3, 4, 5, 6, 7, 99_999, 1_000_000, Number.MAX_SAFE_INTEGER].flatMap((seed) => {
    const scene = renderScene(seed);
    return [scene.rgb, scene.categoryMask, scene.parts, text.encode(scene.caption)];
  });
  assertEquals(await sha256(chunks), "b6403712e432cf5d0978e41ac245e1ed1e1b0d69a06a86da15a92597d67a8e52");
});

Deno.test("renderScene() gives the same scene again whatever was rendered between", () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0];
  const first = renderScene(seed);
  renderScene(seed + 1);
  assertEquals(renderScene(seed), first, `seed ${seed}`);
});

Deno.test("renderScene() keeps the masks consistent with each other", () => {
  for (const scene of sampleScenes()) {
    const name = `seed ${scene.seed}`;
    assertEquals(scene.rgb.length, 3 * PIXELS, name);
    assertEquals(scene.categoryName, CATEGORIES[scene.category], name);
    assertEquals(scene.backgroundName, BACKGROUNDS[scene.background], name);
    for (let i = 0; i < PIXELS; i++) {
      const seen = scene.figure[i] === 1;
      if (scene.categoryMask[i] !== (seen ? 1 + scene.category : 0) || (scene.parts[i] > 0) !== seen) {
        throw new Error(
          `${name}, pixel ${i}: figure ${scene.figure[i]}, category ${scene.categoryMask[i]}, part ${
            scene.parts[i]
          }`,
        );
      }
    }
  }
});

Deno.test("renderScene() gives the object a fair share of the picture", () => {
  for (const scene of sampleScenes()) {
    const area = figureArea(scene);
    assert(area > 0.05 && area < 0.5, `seed ${scene.seed}: ${scene.caption} covers ${area}`);
  }
});

Deno.test("renderScene() draws every category before every background", () => {
  const met = new Set(sampleScenes().map((scene) => `${scene.categoryName} ${scene.backgroundName}`));
  assertEquals(met.size, CATEGORIES.length * BACKGROUNDS.length);
});

Deno.test("renderScene() paints the parts that belong to a category", () => {
  const expected: Partial<Record<typeof CATEGORIES[number], Part[]>> = {
    person: ["face", "head", "body"],
    dog: ["face", "head", "body", "limb", "tail", "ear"],
    cat: ["face", "head", "body", "limb", "tail", "ear"],
    horse: ["face", "head", "body", "limb", "tail", "ear"],
    bird: ["head", "body", "tail", "wing"],
    fish: ["head", "body", "tail", "fin"],
    snake: ["head", "body", "tail"],
    car: ["body", "wheel", "window"],
    aeroplane: ["body", "wing", "tail"],
    word: ["letter"],
  };
  const seen = new Map<string, Set<number>>();
  for (const scene of sampleScenes()) {
    const parts = seen.get(scene.categoryName) ?? new Set();
    for (const part of scene.parts) parts.add(part);
    seen.set(scene.categoryName, parts);
  }
  for (const [category, parts] of Object.entries(expected)) {
    for (const part of parts) {
      assert(seen.get(category)?.has(PARTS.indexOf(part)), `no ${category} shows its ${part}`);
    }
  }
  assertEquals([...seen.get("word")!].map((part) => PARTS[part]).sort(), ["letter", "none"]);
});

Deno.test("renderScene() does not let the mean color of the figure tell its category", () => {
  const scenes = sampleScenes();
  const half = scenes.length / 2;
  const means = CATEGORIES.map((_, category) => {
    const colors = scenes.slice(0, half).filter((scene) => scene.category === category).map(meanFigureColor);
    return [0, 1, 2].map((channel) => colors.reduce((sum, color) => sum + color[channel], 0) / colors.length);
  });
  const right = scenes.slice(half).filter((scene) => {
    const color = meanFigureColor(scene);
    const distances = means.map((mean) => mean.reduce((sum, value, k) => sum + (value - color[k]) ** 2, 0));
    return distances.indexOf(Math.min(...distances)) === scene.category;
  }).length;
  assert(right / half < 0.2, `nearest class mean finds ${right} of ${half}; chance is one in ten`);
});

Deno.test("renderScene() obeys the options and keeps the rest of the seed's choices", () => {
  const free = renderScene(42);
  const fixed = renderScene(42, { category: "fish", background: "room" });
  assertEquals([fixed.categoryName, fixed.backgroundName], ["fish", "room"]);
  assertEquals(renderScene(42, { category: free.categoryName, background: free.backgroundName }), free);
});

Deno.test("renderScene() writes the category into the caption", () => {
  for (const scene of sampleScenes()) {
    const noun = scene.categoryName === "person" ? /person|people/ : new RegExp(scene.categoryName);
    assert(noun.test(scene.caption), `seed ${scene.seed}: ${scene.caption}`);
  }
});

Deno.test("renderScene() names a seed or a category it can not take", () => {
  assertThrows(() => renderScene(-1), RangeError, "the seed is -1");
  assertThrows(() => renderScene(0.5), RangeError, "the seed is 0.5");
  const unicorn = { category: "unicorn" } as unknown as SceneOptions;
  assertThrows(
    () => renderScene(1, unicorn),
    RangeError,
    `the category is "unicorn", expected one of person, dog`,
  );
});

Deno.test("dumpScenes() writes what renderScene() gives and leaves nothing partial", () => {
  const directory = Deno.makeTempDirSync();
  try {
    dumpScenes(3, 500, directory);
    const names = [...Deno.readDirSync(directory)].map((entry) => entry.name).sort();
    assertEquals(names, [
      "background.u8",
      "captions.txt",
      "category.u8",
      "category_mask.u8",
      "parts.u8",
      "rgb.u8",
    ]);
    const last = renderScene(502);
    assertEquals(Deno.readFileSync(`${directory}/rgb.u8`).subarray(2 * 3 * PIXELS), last.rgb);
    assertEquals(Deno.readFileSync(`${directory}/parts.u8`).subarray(2 * PIXELS), last.parts);
    assertEquals(Deno.readTextFileSync(`${directory}/captions.txt`).split("\n")[2], last.caption);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
