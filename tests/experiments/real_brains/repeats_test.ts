import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { repeatAgreement } from "../../../src/experiments/real_brains/repeats.ts";
import { rdm, rsa } from "../../../src/statistics/rsa.ts";
import { randomMatrix, testSeed } from "../../support/random.ts";

const NEURONS = 30, PICTURES = 70, REPEATS = 8, note = `seed ${testSeed}`;

/** A pattern for each picture, and repeats of it with noise: neurons × pictures × repeats. */
function recording(noise: number) {
  const truth = randomMatrix(PICTURES, NEURONS), own = randomMatrix(NEURONS * PICTURES, REPEATS, 1).data;
  const at = (neuron: number, picture: number, repeat: number) =>
    truth.data[picture * NEURONS + neuron] + noise * own[(neuron * PICTURES + picture) * REPEATS + repeat];
  const data = new Float64Array(NEURONS * PICTURES * REPEATS);
  const mean = { ...truth, data: new Float32Array(truth.data.length) };
  for (let neuron = 0, place = 0; neuron < NEURONS; neuron++) {
    for (let picture = 0; picture < PICTURES; picture++) {
      for (let repeat = 0; repeat < REPEATS; repeat++, place++) {
        data[place] = at(neuron, picture, repeat);
        mean.data[picture * NEURONS + neuron] += data[place] / REPEATS;
      }
    }
  }
  return { data, truth, mean };
}

const all = Array.from({ length: PICTURES }, (_, picture) => picture);
const of = (data: Float64Array, repeats = REPEATS) => ({
  data,
  neurons: NEURONS,
  pictures: PICTURES,
  repeats,
});

Deno.test("repeatAgreement(): the ceiling is about what the true dissimilarities reach on the mean over repeats", () => {
  for (const noise of [0.5, 1.5]) {
    const { data, truth, mean } = recording(noise);
    const { halves, ceiling } = repeatAgreement(of(data), all, 3);
    const reached = rsa(rdm(truth), rdm(mean), { resamples: 0 }).spearman.value;
    assert(
      halves < ceiling && Math.abs(ceiling - reached) < 0.08,
      `${halves}, ${ceiling}, ${reached}, ${note}`,
    );
  }
});

Deno.test("repeatAgreement() takes NaN for a repeat that was not shown", () => {
  const { data } = recording(1), wider = new Float64Array(NEURONS * PICTURES * (REPEATS + 2)).fill(NaN);
  for (let row = 0; row < NEURONS * PICTURES; row++) {
    wider.set(data.subarray(row * REPEATS, (row + 1) * REPEATS), row * (REPEATS + 2) + 1);
  }
  const some = all.filter((picture) => picture % 3 > 0);
  const padded = repeatAgreement(of(wider, REPEATS + 2), some, 3);
  assertAlmostEquals(padded.halves, repeatAgreement(of(data), some, 3).halves, 1e-12, note);
  wider.fill(NaN, 0, REPEATS + 1);
  assertThrows(() => repeatAgreement(of(wider, REPEATS + 2), all, 3), RangeError, "Picture 0 has 0 repeat");
});
