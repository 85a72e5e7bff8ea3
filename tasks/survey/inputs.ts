/** Inputs of the survey: families of features × sizes × components × seeds. */
import type { Matrix } from "../../src/linalg/matrix.ts";
import { type Random, randomMatrix, seededRandom } from "../../src/linalg/random.ts";
import { mixture } from "../bench/mixture.ts";

/** One graph to solve. */
export interface SurveyInput {
  family: string;
  n: number;
  d: number;
  components: number;
  seed: number;
}

type Make = (n: number, d: number, random: Random, seed: number) => Matrix;

/** Features from a value for each entry of Gaussian ones. */
function varied(change: (value: number, i: number, c: number, d: number, random: Random) => number): Make {
  return (n, d, random) => {
    const x = randomMatrix(n, d, random);
    x.data.forEach((value, at) => x.data[at] = change(value, Math.floor(at / d), at % d, d, random));
    return x;
  };
}

/** Row i becomes row source(i). */
function copied(source: (i: number, n: number) => number, sign = 1): Make {
  return (n, d, random) => {
    const x = randomMatrix(n, d, random), original = x.data.slice();
    for (let i = 0; i < n; i++) {
      const from = source(i, n);
      for (let c = 0; c < d; c++) x.data[i * d + c] = (from === i ? 1 : sign) * original[from * d + c];
    }
    return x;
  };
}

/** What the survey is about, each a shape of spectrum. */
export const FAMILIES: Record<string, Make> = {
  "clusters, 40": (n, d, _, seed) => mixture(n, d, 40, 1, seed),
  "clusters, fewer than components": (n, d, _, seed) => mixture(n, d, 5, 0.3, seed),
  "tight clusters": (n, d, _, seed) => mixture(n, d, 12, 0.02, seed),
  "uniform": (n, d, random) => ({
    data: Float32Array.from({ length: n * d }, () => 0.01 + random()),
    rows: n,
    cols: d,
  }),
  "one cluster: a flat spectrum": randomMatrix,
  "duplicated rows": copied((i, n) => i % Math.ceil(n / 3)),
  "two equal rows": copied((i) => i === 1 ? 0 : i),
  "v and −v": copied((i) => i - i % 2, -1),
  "all rows equal": copied(() => 0),
  "common channel, 30 times the rest": varied((value, _, c) => c === 0 ? 30 : value),
  "common channel, 1000 times the rest": (n, d, _, seed) => {
    const x = mixture(n, d, 3, 0.3, seed);
    for (let i = 0; i < n; i++) x.data[i * d] = 1000;
    return x;
  },
  "nearly parallel rows": varied((value, _, c) => Math.sin(c + 1) + 1e-3 * value),
  "one channel a row": (n, d) => {
    const data = new Float32Array(n * d);
    for (let i = 0; i < n; i++) data[i * d + i % d] = 1;
    return { data, rows: n, cols: d };
  },
  "a chain": (n, d) => ({
    data: Float32Array.from(
      { length: n * d },
      (_, at) => Math.cos((Math.floor(at / d) / n * 3 - at % d / d * 3) * 2) + 0.01,
    ),
    rows: n,
    cols: d,
  }),
  "heavy-tailed lengths": (n, d, random) => {
    const x = randomMatrix(n, d, random);
    for (let i = 0; i < n; i++) {
      const length = Math.exp(8 * (random() - 0.5));
      for (let c = 0; c < d; c++) x.data[i * d + c] *= length;
    }
    return x;
  },
  "channels without variance": varied((value, _, c, d) => c < d / 2 ? 0.5 : value),
  "a few outliers": varied((value, i, c) => i < 4 ? -Math.sin(i + c + 1) : 2 + 0.2 * value),
};

/** Sizes of nodes × channels × components; "third" and "all" are of the nodes. */
const SIZES: [n: number, d: number, components: number | "third" | "all"][] = [
  [97, 1, 1],
  [97, 17, 20],
  [97, 64, "all"],
  [97, 768, "third"],
  [401, 1, 20],
  [401, 3, 50],
  [401, 17, 2],
  [401, 64, "third"],
  [401, 768, "all"],
  [401, 768, 1],
  [1001, 1, 2],
  [1001, 3, 20],
  [1001, 17, 20],
  [1001, 17, 50],
  [1001, 64, 1],
  [1001, 64, 20],
  [1001, 64, "third"],
  [1001, 768, 20],
  [4097, 3, 2],
  [4097, 64, 20],
];

/** A longer look at large graphs, for some families each. */
const LARGE: [n: number, d: number, components: number][] = [[4097, 17, 50], [4097, 768, 20]];

/** All inputs; `quick`: the smallest graphs of each family. */
export function surveyInputs(seed: number, quick: boolean): SurveyInput[] {
  return Object.keys(FAMILIES).flatMap((family, f) => {
    const sizes = [...SIZES, ...(f % 4 === seed % 4 ? LARGE : [])].filter(([n]) => !quick || n < 400);
    return sizes.map(([n, d, wanted], s) => ({
      family,
      n,
      d,
      seed: seed + 100 * f + s,
      components: wanted === "all" ? n : wanted === "third" ? Math.floor(n / 3) : wanted,
    }));
  });
}

/** The features of an input, the same for the same seed. */
export function featuresOf({ family, n, d, seed }: SurveyInput): Matrix {
  const x = FAMILIES[family](n, d, seededRandom(seed), seed);
  for (let i = 0; i < n; i++) { // no row may be zero
    if (x.data.subarray(i * d, (i + 1) * d).every((value) => value === 0)) x.data[i * d] = 1;
  }
  return x;
}
