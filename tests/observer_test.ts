import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { exponential, logarithm } from "../fixtures/observer/exponential.ts";
import { MAP_SIZE } from "../fixtures/observer/feature_stack.ts";
import { FORM_CHANNELS, formMaps } from "../fixtures/observer/form_maps.ts";
import { gaborEnergy, ORIENTATIONS } from "../fixtures/observer/gabor_energy.ts";
import { createObserver } from "../fixtures/observer/mod.ts";
import { opponentPlanes } from "../fixtures/observer/planes.ts";
import { eccentricityAt } from "../fixtures/observer/retinotopy.ts";
import { CATEGORIES, renderScene, type Scene, SCENE_SIZE } from "../fixtures/scenes/mod.ts";
import { cosine, sine, TURN } from "../fixtures/scenes/trigonometry.ts";

const SEED = 0, OBSERVER = createObserver(SEED), { rois, voxels } = OBSERVER;
const SCENES = 80, REPEATS = 3;

/** Voxels of a region, of both hemispheres. */
function voxelsOf(name: string): number[] {
  return Array.from({ length: voxels.count }, (_, v) => v).filter((v) => rois[voxels.roi[v]] === name);
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean response of a region to some scenes. */
function drive(name: string, responses: Float32Array[]): number {
  const own = voxelsOf(name);
  return mean(responses.map((response) => mean(own.map((v) => response[v]))));
}

/** Scenes that the tests share, with responses before noise; the categories take turns. */
let shared: { scene: Scene; response: Float32Array }[] | undefined;
function looked() {
  return shared ??= Array.from({ length: SCENES }, (_, i) => {
    const scene = renderScene(40_000 + i, { category: CATEGORIES[i % CATEGORIES.length] });
    return { scene, response: OBSERVER.respond(scene) };
  });
}

function responsesWhere(wanted: (scene: Scene) => boolean): Float32Array[] {
  return looked().filter(({ scene }) => wanted(scene)).map(({ response }) => response);
}

/** A grating in a round window on gray, all of it figure. */
function grating(x: number, y: number, orientation: number, wavelength: number): Scene {
  const rgb = new Uint8Array(3 * SCENE_SIZE * SCENE_SIZE);
  for (let i = 0; i < SCENE_SIZE * SCENE_SIZE; i++) {
    const dx = i % SCENE_SIZE + 0.5 - x, dy = Math.floor(i / SCENE_SIZE) + 0.5 - y;
    const across = dy * sine(orientation + TURN / 4) - dx * sine(orientation);
    const inside = dx * dx + dy * dy < 12 * 12 ? 1 : 0;
    rgb.fill(Math.round(128 + 60 * inside * sine(TURN * across / wavelength)), 3 * i, 3 * i + 3);
  }
  const scene = renderScene(0), none = new Uint8Array(SCENE_SIZE * SCENE_SIZE);
  return { ...scene, rgb, figure: none.slice().fill(1), parts: none, categoryMask: none.slice().fill(1) };
}

Deno.test("exponential() and logarithm() agree with Math", () => {
  for (const x of [-40, -3.3, -1e-5, 0, 0.7, 6.9]) {
    assertAlmostEquals(exponential(x) / Math.exp(x), 1, 1e-10, `e^${x}`);
  }
  for (const x of [1, 1.5, 9, 600]) assertAlmostEquals(logarithm(x), Math.log(x), 1e-9, `ln ${x}`);
});

Deno.test("createObserver() gives the same bits again, pinned", () => {
  const scene = renderScene(7), again = createObserver(SEED);
  const hash = createHash("sha256");
  for (const repeat of [0, 2]) {
    assertEquals(again.measure(scene, repeat), OBSERVER.measure(scene, repeat));
    hash.update(new Uint8Array(again.measure(scene, repeat).slice().buffer));
  }
  assertEquals(hash.digest("hex"), "c7d70ca58a402c9cd8115d7ec0477879f5713cd32de1c8975f8a18dcd258bcdf");
});

Deno.test("createObserver() gives another subject for another seed", () => {
  const other = createObserver(SEED + 1), scene = renderScene(7);
  assertEquals(other.voxels.count, voxels.count);
  assertNotEquals(other.voxels.fieldX, voxels.fieldX);
  assertNotEquals(other.respond(scene), OBSERVER.respond(scene));
});

Deno.test("createObserver() lays out every region in both hemispheres", () => {
  assert(voxels.count >= 3000, `${voxels.count} voxels`);
  assertEquals([...rois], "V1,V2,V3,V4,EBA,FBA,OFA,FFA,OPA,PPA,OWFA,VWFA".split(","));
  for (const name of rois) {
    for (const side of [0, 1]) {
      const own = voxelsOf(name).filter((v) => voxels.hemisphere[v] === side);
      assert(own.length >= 50, `${name} has ${own.length} voxels in hemisphere ${side}`);
      // On the sheet left is left; in the visual field each hemisphere sees the other half.
      assert(own.every((v) => (voxels.sheetX[v] < 0) === (side === 0)), name);
      assert(own.every((v) => (voxels.fieldX[v] >= SCENE_SIZE / 2) === (side === 0)), name);
    }
  }
});

Deno.test("createObserver() magnifies the fovea, and mirrors the polar angle between V1, V2 and V3", () => {
  assertAlmostEquals(eccentricityAt(1, 54), 54, 1e-9);
  assert(eccentricityAt(0.5, 54) < 54 / 3);
  /** Distances along the sheet from the horizontal meridian of V1, of the lower field's voxels next to a meridian. */
  const heights = (name: string, wanted: "vertical" | "horizontal") =>
    voxelsOf(name).filter((v) => {
      const dx = Math.abs(voxels.fieldX[v] - SCENE_SIZE / 2), dy = voxels.fieldY[v] - SCENE_SIZE / 2;
      return dy > 0 && (wanted === "vertical" ? dx < 0.3 * dy : dy < 0.3 * dx);
    }).map((v) => Math.abs(voxels.sheetY[v]));
  assert(mean(heights("V1", "horizontal")) < mean(heights("V1", "vertical")));
  assert(mean(heights("V2", "vertical")) < mean(heights("V2", "horizontal")));
  assert(mean(heights("V3", "horizontal")) < mean(heights("V3", "vertical")));
});

Deno.test("receptive fields grow from V1 to V4, with eccentricity, and into the category regions", () => {
  const sizes = (name: string, from = 0, to = 200) =>
    mean(
      voxelsOf(name).filter((v) => {
        const dx = voxels.fieldX[v] - SCENE_SIZE / 2, dy = voxels.fieldY[v] - SCENE_SIZE / 2;
        const eccentricity = Math.sqrt(dx * dx + dy * dy);
        return eccentricity >= from && eccentricity < to;
      }).map((v) => voxels.fieldSize[v]),
    );
  for (
    const [smaller, larger] of ["V1 V2", "V2 V3", "V3 V4", "EBA FBA", "OFA FFA", "OPA PPA", "OWFA VWFA"]
      .map((pair) => pair.split(" "))
  ) {
    assert(sizes(smaller) < sizes(larger), `${smaller} < ${larger}`);
  }
  for (const name of ["V1", "V2", "V3", "V4"]) assert(sizes(name, 0, 10) < sizes(name, 25), name);
});

Deno.test("V1 responds to gratings of its orientation in its field", () => {
  const sample = voxelsOf("V1").filter((v) => {
    const eccentricity = Math.abs(voxels.fieldX[v] - SCENE_SIZE / 2);
    return eccentricity > 12 && eccentricity < 30 && Math.abs(voxels.fieldY[v] - SCENE_SIZE / 2) < 25;
  }).slice(0, 6);
  assertEquals(sample.length, 6);
  for (const v of sample) {
    const x = voxels.fieldX[v], y = voxels.fieldY[v], best = voxels.orientation[v];
    const at = (x: number, orientation: number) => OBSERVER.respond(grating(x, y, orientation, 6))[v];
    const preferred = at(x, best);
    assert(preferred > at(x, best + TURN / 4) + 0.5, `voxel ${v} prefers the orthogonal orientation`);
    assert(preferred > at(SCENE_SIZE - x, best) + 0.5, `voxel ${v} responds to the other half of the field`);
  }
});

Deno.test("formMaps() tells a contour's bend from its mirror image and from a straight line", () => {
  const middle = SCENE_SIZE / 2;
  /** Corner maps at the middle, of two dark strokes that leave it in given directions. */
  const cornersOf = (...directions: number[]) => {
    const rgb = new Uint8Array(3 * SCENE_SIZE * SCENE_SIZE).fill(200);
    for (const angle of directions) {
      for (let along = 0; along < 14; along += 0.2) {
        for (let across = -1.5; across <= 1.5; across += 0.3) {
          const x = middle + along * cosine(angle) - across * sine(angle);
          const y = middle + along * sine(angle) + across * cosine(angle);
          const pixel = Math.floor(y) * SCENE_SIZE + Math.floor(x);
          rgb.fill(40, 3 * pixel, 3 * pixel + 3);
        }
      }
    }
    const colors = opponentPlanes(rgb, SCENE_SIZE), at = MAP_SIZE / 2 * (MAP_SIZE + 1);
    return formMaps(gaborEnergy(colors.luminance), colors).slice(0, FORM_CHANNELS.corners)
      .map(({ data }) => data[at]);
  };
  for (let o = 0; o < ORIENTATIONS; o++) {
    const angle = o * TURN / 2 / ORIENTATIONS, half = TURN / 2, bent = angle + TURN / 6;
    const [bend, mirrored] = [cornersOf(angle + half, bent), cornersOf(angle, bent + half)];
    const straight = cornersOf(angle, angle + half);
    assertEquals(bend.indexOf(Math.max(...bend)), 2 * o, `bend ${o}: ${bend}`);
    assertEquals(mirrored.indexOf(Math.max(...mirrored)), 2 * o + 1, `mirrored ${o}: ${mirrored}`);
    assert(bend[2 * o] > 2 * straight[2 * o], `straight ${o}: ${straight}`);
  }
});

Deno.test("V1 to V4 respond less when the figure is taken for ground", () => {
  const scene = renderScene(5), none = new Uint8Array(scene.figure.length);
  const seen = [OBSERVER.respond(scene)], unseen = [OBSERVER.respond({ ...scene, figure: none })];
  for (const name of ["V1", "V2", "V3", "V4"]) assert(drive(name, seen) > drive(name, unseen) + 0.1, name);
});

Deno.test("category regions respond to bodies, faces and words more than to the rest", () => {
  const is = (...names: string[]) => ({ categoryName }: Scene) => names.includes(categoryName);
  const preferences: [string[], (scene: Scene) => boolean, (scene: Scene) => boolean][] = [
    [["EBA", "FBA"], is("person", "dog", "cat", "horse"), is("car", "aeroplane", "word", "snake")],
    [["EBA", "FBA"], is("person"), is("fish", "bird")],
    [["OFA", "FFA"], is("person", "cat"), is("car", "aeroplane", "word")],
    [["FFA"], is("person"), is("dog", "horse")],
    [["OWFA", "VWFA"], is("word"), (scene) => scene.categoryName !== "word"],
  ];
  for (const [names, wanted, others] of preferences) {
    for (const name of names) {
      const most = drive(name, responsesWhere(wanted)), least = drive(name, responsesWhere(others));
      assert(most > least + 0.7, `${name}: ${most} and ${least}`);
    }
  }
});

Deno.test("OPA and PPA respond by the background, more than to what stands before it", () => {
  const room = responsesWhere((scene) => scene.backgroundName === "room");
  const grass = responsesWhere((scene) => scene.backgroundName === "grass");
  for (const name of ["OPA", "PPA"]) assert(drive(name, room) > drive(name, grass) + 0.7, name);
  for (const [name, more] of [["PPA", true], ["FFA", false]] as const) {
    const change = (to: Scene) => {
      const from = OBSERVER.respond(renderScene(3, { category: "person", background: "room" }));
      const response = OBSERVER.respond(to), own = voxelsOf(name);
      return mean(own.map((v) => Math.abs(response[v] - from[v])));
    };
    const place = change(renderScene(3, { category: "person", background: "grass" }));
    const thing = change(renderScene(3, { category: "car", background: "room" }));
    assertEquals(place > thing, more, `${name}: ${place} for another place, ${thing} for another thing`);
  }
});

Deno.test("measure() has the stated share of signal in every region", () => {
  const repeats = looked().map(({ scene }) =>
    Array.from({ length: REPEATS }, (_, repeat) => OBSERVER.measure(scene, repeat))
  );
  for (const name of rois) {
    const own = voxelsOf(name);
    const found = own.map((v) => {
      // One-way analysis of variance: the share of the variance between scenes.
      const means = repeats.map((responses) => mean(responses.map((response) => response[v])));
      const grand = mean(means);
      const between = REPEATS * mean(means.map((value) => (value - grand) ** 2)) * SCENES / (SCENES - 1);
      const within = mean(
        repeats.map((responses, i) =>
          mean(responses.map((response) => (response[v] - means[i]) ** 2)) * REPEATS / (REPEATS - 1)
        ),
      );
      return (between - within) / (between + (REPEATS - 1) * within);
    });
    assertAlmostEquals(mean(found), mean(own.map((v) => voxels.reliability[v])), 0.05, name);
  }
});

Deno.test("stated noise ceilings lie between 0.4 and 0.85", () => {
  for (const share of voxels.reliability) {
    const ceiling = 3 * share / (3 * share + 1 - share);
    assert(ceiling >= 0.4 && ceiling <= 0.85, `${ceiling}`);
  }
});

Deno.test("measure() adds normal noise, another for each repeat, scene and observer", () => {
  const [{ scene, response }, { scene: next, response: nextResponse }] = looked();
  const noise = (of: Scene, clean: Float32Array, repeat: number) =>
    OBSERVER.measure(of, repeat).map((value, v) =>
      (value - clean[v]) / Math.sqrt(1 / voxels.reliability[v] - 1)
    );
  const all = [noise(scene, response, 0), noise(scene, response, 1), noise(next, nextResponse, 0)];
  for (const values of all) {
    assertAlmostEquals(mean(values), 0, 0.07);
    assertAlmostEquals(mean(values.map((value) => value * value)), 1, 0.1);
    assert(values.every(Number.isFinite));
  }
  for (const [a, b] of [[0, 1], [0, 2], [1, 2]]) {
    assertAlmostEquals(mean(all[a].map((value, v) => value * all[b][v])), 0, 0.07);
  }
  assertEquals(noise(scene, response, 1), all[1]);
});
