/** Numbers that break algorithms: the right answer, or an error that names the culprit. */
import { alignedColors } from "../../src/experiments/colors/compute.ts";
import { writeAlignedColorsReport } from "../../src/experiments/colors/report.ts";
import type { Pipeline } from "../../src/pipeline/nodes.ts";
import { trajectories } from "../../src/experiments/trajectories/compute.ts";
import { closeGpu, openGpu } from "../../src/gpu/mod.ts";
import {
  discretize,
  fitNystrom,
  type Gpu,
  kmeans,
  matmul,
  type Matrix,
  matrixSource,
  nearestNeighbors,
  normalizedCut,
  ridge,
  tsne,
} from "../../mod.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import { walkingPipeline } from "../support/walking_pipeline.ts";
import { type FaultFamily, unclear } from "./family.ts";

/** One case: an answer that is right, or what the error has to say. */
interface Case {
  what: string;
  run(gpu: Gpu): Promise<void>;
  /** Part of the error's sentence; absent: it has to work. */
  refused?: RegExp;
}

export const numbers: FaultFamily = {
  name: "numbers",
  title: "NaN, zero vectors, extreme scales, duplicates, one cluster, too few nodes",
  async run({ seed, report }) {
    const gpu = await openGpu(), failures: string[] = [];
    const cases = casesOf(seed);
    try {
      for (const { what, run, refused } of cases) {
        let message: string | null = null;
        try {
          await run(gpu);
        } catch (error) {
          message = (error as Error).message;
        }
        if (message === null && refused) failures.push(`${what}: it was taken`);
        if (message !== null && (!refused || !refused.test(message) || unclear(message))) {
          failures.push(`${what}: ${message}`);
        }
        if (gpu.memory.inUse !== 0) {
          failures.push(`${what}: ${gpu.memory.inUse} bytes of buffers were not given back`);
          gpu.memory.inUse = 0;
        }
      }
      report(`${cases.length} cases`);
    } finally {
      closeGpu(gpu);
    }
    return { tried: cases.length, failures };
  },
};

function right(isRight: boolean, why: string): void {
  if (!isRight) throw new Error(`wrong: ${why}.`);
}

/** One image through an experiment's numbers and its report. */
async function colorsOfOneImage(gpu: Gpu): Promise<void> {
  const pipeline = oneImage(), out = await Deno.makeTempDir();
  try {
    const found = await alignedColors(pipeline, 0);
    const report = { out, command: "one image", gpu, pipeline, found, timings: {}, seed: 0 };
    const page = await Deno.readTextFile(await writeAlignedColorsReport(report));
    right(
      !/NaN|Infinity/.test(page.replace(/<script[^]*?<\/script>/g, "")),
      "the page has a number that is none",
    );
    right(
      found.models.every(({ rise }) => Math.abs(rise.effect) < 1e-12),
      "one image explains a part of the colors",
    );
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

function oneImage(): Pipeline {
  const pipeline = walkingPipeline({ partsAt: { mae: 3 }, count: 1 }), [image] = pipeline.images;
  const fit = {
    cut: { eigenvalues: [1], residuals: [1e-6], eigengap: 0.1, converged: true, resolved: 1 },
    landmarks: { indices: [1, 2] },
  };
  return {
    ...pipeline,
    images: [{ ...image, classMask: image.mask }],
    fit: fit as unknown as Pipeline["fit"],
    map: { kl: 1, trustworthiness: 0.97 },
    colors: Uint8Array.from({ length: 3 * pipeline.eigenvectors.rows }, (_, i) => i * 37 % 256),
  };
}

function casesOf(seed: number): Case[] {
  const random = seededRandom(seed + 1);
  const matrix = (rows: number, cols: number): Matrix => ({
    data: fillRandom(new Float32Array(rows * cols), random),
    rows,
    cols,
  });
  const changed = (x: Matrix, change: (data: Float32Array) => void): Matrix => {
    const data = x.data.slice();
    change(data);
    return { ...x, data };
  };
  const scaled = (x: Matrix, factor: number) => ({ ...x, data: x.data.map((value) => value * factor) });
  const nodes = matrix(150, 8), eigen = { components: 4, tolerance: 1e-4 };
  const same = async (gpu: Gpu, x: Matrix) => {
    const a = await normalizedCut(gpu, nodes, eigen), b = await normalizedCut(gpu, x, eigen);
    right(b.eigenvalues.every((value, i) => Math.abs(value - a.eigenvalues[i]) < 1e-5), "other eigenvalues");
  };
  const groups = (n: number, count: number): Matrix => {
    const centres = matrix(count, 16);
    return {
      data: Float32Array.from(
        { length: n * 16 },
        (_, at) => centres.data[(Math.floor(at / 16) % count) * 16 + at % 16],
      ),
      rows: n,
      cols: 16,
    };
  };
  const cut = (what: string, x: Matrix, refused: RegExp, components = 3): Case => ({
    what: `normalizedCut, ${what}`,
    run: async (gpu) => void await normalizedCut(gpu, x, { components }),
    refused,
  });
  const bad = [NaN, Infinity, -Infinity];
  const kernels: [string, (gpu: Gpu, x: Matrix) => Promise<unknown>][] = [
    ["normalizedCut", (gpu, x) => normalizedCut(gpu, x, { components: 3 })],
    [
      "fitNystrom",
      (gpu, x) => fitNystrom(gpu, matrixSource(x), { landmarks: 60, neighbors: "all", components: 3 }),
    ],
    ["tsne", (gpu, x) => tsne(gpu, x, { iterations: 5 })],
    ["nearestNeighbors", (gpu, x) => nearestNeighbors(gpu, x, x, { k: 3 })],
    ["discretize", (_gpu, x) => Promise.resolve(discretize(x))],
    ["kmeans", (_gpu, x) => Promise.resolve(kmeans(x, { clusters: 3 }))],
  ];
  return [
    ...kernels.flatMap(([name, run]) =>
      bad.map((value): Case => ({
        what: `${name}, ${value} in row 77`,
        run: async (gpu) => void await run(gpu, changed(nodes, (data) => data[77 * 8 + 3] = value)),
        refused: /77|row|node|finite|NaN|Infinity/,
      }))
    ),
    ...[0, 77, 149].map((row) =>
      cut(
        `a zero vector at ${row}`,
        changed(nodes, (data) => data.fill(0, 8 * row, 8 * row + 8)),
        new RegExp(`node ${row} is a zero vector`),
      )
    ),
    ...[1e30, 1e-30, 1e-15, 1e15].map((factor): Case => ({
      what: `normalizedCut, features × ${factor}`,
      run: (gpu) => same(gpu, scaled(nodes, factor)),
    })),
    {
      what: "normalizedCut, every row in a scale of its own",
      run: (gpu) =>
        same(gpu, {
          ...nodes,
          data: nodes.data.map((value, at) => value * 10 ** (Math.floor(at / 8) % 41 - 20)),
        }),
    },
    ...[1, 2, 3, 7].map((n): Case => ({
      what: `normalizedCut, ${n} nodes`,
      async run(gpu) {
        const { eigenvalues, converged } = await normalizedCut(gpu, matrix(n, 5), { components: n });
        right(converged && Math.abs(eigenvalues[0] - 1) < 1e-5, `eigenvalues ${eigenvalues}`);
      },
    })),
    {
      what: "normalizedCut, all nodes equal",
      async run(gpu) {
        const { eigenvalues } = await normalizedCut(gpu, groups(90, 1), { components: 3 });
        right(
          Math.abs(eigenvalues[0] - 1) < 1e-5 && Math.abs(eigenvalues[1]) < 1e-4,
          `eigenvalues ${eigenvalues}`,
        );
      },
    },
    ...[10, 1e3, 1e5].map((size): Case => ({
      what: `normalizedCut, 5 groups below a common channel of ${size}`,
      async run(gpu) {
        const x = changed(groups(300, 5), (data) => {
          for (let at = 0; at < data.length; at += 16) data[at] = size;
        });
        const cut = await normalizedCut(gpu, x, { components: 5 }), { data: y } = cut.eigenvectors;
        right(cut.converged && cut.resolved === 5, `${cut.resolved} of 5 resolved, ${cut.residuals}`);
        for (let i = 1; i < 300; i++) {
          let squares = 0;
          for (let c = 0; c < 5; c++) squares += (y[5 * i + c] - y[c]) ** 2;
          right(i % 5 === 0 ? squares < 1e-6 : squares > 1e-3, `${i} is ${Math.sqrt(squares)} from node 0`);
        }
      },
    })),
    {
      what: "normalizedCut, each of 5 nodes 60 times",
      async run(gpu) {
        const { eigenvalues, eigenvectors, converged } = await normalizedCut(gpu, groups(300, 5), {
          components: 5,
        });
        right(converged && eigenvalues[4] > 1e-3, `eigenvalues ${eigenvalues}`);
        for (let c = 0; c < 5; c++) {
          right(
            Math.abs(eigenvectors.data[c] - eigenvectors.data[5 * 5 + c]) < 1e-4,
            "equal nodes have other vectors",
          );
        }
      },
    },
    {
      what: "normalizedCut, a constant channel",
      run: (gpu) =>
        same(gpu, nodes).then(async () => {
          const x = changed(nodes, (data) => data.forEach((_, at) => at % 8 === 2 && (data[at] = 3)));
          right((await normalizedCut(gpu, x, eigen)).converged, "it did not converge");
        }),
    },
    cut("more components than nodes", matrix(5, 3), /only 5 nodes: ask for at most 5/, 6),
    ...[0, -1, 2.5, NaN].map((components) =>
      cut(`${components} components`, nodes, /components is/, components)
    ),
    {
      what: "fitNystrom, more landmarks than nodes",
      run: async (gpu) =>
        void await fitNystrom(gpu, matrixSource(matrix(20, 4)), {
          landmarks: 40,
          neighbors: "all",
          components: 3,
        }),
      refused: /landmarks|nodes/,
    },
    {
      what: "fitNystrom, K above the landmarks",
      run: async (gpu) =>
        void await fitNystrom(gpu, matrixSource(nodes), { landmarks: 10, neighbors: 20, components: 3 }),
      refused: /neighbours/,
    },
    {
      what: "nearestNeighbors, K above the candidates",
      run: async (gpu) => void await nearestNeighbors(gpu, nodes, matrix(3, 8), { k: 5 }),
      refused: /k is|K is|candidates|neighbors/i,
    },
    {
      what: "kmeans, more clusters than rows",
      run: async () => void await kmeans(matrix(3, 2), { clusters: 5 }),
      refused: /clusters|rows/,
    },
    {
      what: "tsne, three points",
      run: async (gpu) => void await tsne(gpu, matrix(3, 2)),
      refused: /points/,
    },
    ...[0, 1, -3, NaN].map((perplexity) => ({
      what: `tsne, a perplexity of ${perplexity}`,
      run: async (gpu: Gpu) => void await tsne(gpu, matrix(30, 2), { perplexity }),
      refused: /perplexity/,
    })),
    {
      what: "nearestNeighbors, a subnormal row",
      run: async (gpu) => void await nearestNeighbors(gpu, scaled(nodes, 1e-42), nodes, { k: 1 }),
      refused: /subnormal/,
    },
    {
      what: "nearestNeighbors, rows of 120,000 channels",
      async run(gpu) {
        const cols = 120_000,
          data = Float32Array.from(
            { length: 4 * cols },
            (_, at) => Math.sin(at % cols * (1 + (at >= 2 * cols ? 1 : 0))),
          );
        const { indices } = await nearestNeighbors(gpu, { data, rows: 4, cols }, { data, rows: 4, cols }, {
          k: 2,
        });
        right(indices.join() === "0,1,0,1,2,3,2,3", `neighbours are ${indices}`);
      },
    },
    {
      what: "matmul, 300,000 products of one sign",
      async run(gpu) {
        const k = 300_000, a = { data: new Float32Array(2 * k).fill(0.1), rows: 2, cols: k };
        const { data } = await matmul(gpu, a, a, { transposeB: true });
        const exact = k * Math.fround(0.1) ** 2;
        right(data.every((value) => Math.abs(value / exact - 1) < 5e-6), `${data} instead of ${exact}`);
      },
    },
    {
      what: "tsne, all points equal",
      async run(gpu) {
        const { points } = await tsne(gpu, groups(60, 1), { iterations: 50 });
        right(points.data.every(Number.isFinite), "points are not finite");
      },
    },
    {
      what: "tsne, features × 1e20",
      async run(gpu) {
        const { points } = await tsne(gpu, scaled(nodes, 1e15), { iterations: 50 });
        right(points.data.every(Number.isFinite), "points are not finite");
      },
    },
    {
      what: "matmul, shapes that do not fit",
      run: async (gpu) => void await matmul(gpu, matrix(3, 4), matrix(5, 2)),
      refused: /3 × 4|5 × 2|columns|rows/,
    },
    ...bad.map((value): Case => ({
      what: `matmul, ${value} in row 77`,
      async run(gpu) {
        const { data } = await matmul(gpu, changed(nodes, (data) => data[77 * 8 + 3] = value), matrix(8, 3));
        const rows = [...data.keys()].filter((at) => !Number.isFinite(data[at])).map((at) =>
          Math.floor(at / 3)
        );
        right(rows.length === 3 && rows.every((row) => row === 77), `not finite in rows ${rows}`);
      },
    })),
    {
      what: "matmul, 1 × 1",
      async run(gpu) {
        const { data } = await matmul(gpu, { data: Float32Array.of(3), rows: 1, cols: 1 }, {
          data: Float32Array.of(-2),
          rows: 1,
          cols: 1,
        });
        right(data[0] === -6, `3 · −2 = ${data[0]}`);
      },
    },
    {
      what: "a matrix whose data are too short",
      run: async (gpu) =>
        void await normalizedCut(gpu, { data: new Float32Array(7), rows: 2, cols: 4 }, { components: 2 }),
      refused: /7|2 × 4|values/,
    },
    {
      what: "ridge, constant columns",
      async run(gpu) {
        const x = changed(matrix(40, 5), (data) => data.forEach((_, at) => at % 5 === 0 && (data[at] = 2)));
        const { predict } = await ridge(gpu, x, matrix(40, 3), {});
        right((await predict(x)).data.every(Number.isFinite), "predictions are not finite");
      },
    },
    { what: "colors, one image", run: colorsOfOneImage },
    {
      what: "trajectories, one image",
      run: async () => void await trajectories(oneImage(), 0),
      refused: /give at least 2/,
    },
    {
      what: "ridge, more images of one than of the other",
      run: async (gpu) => void await ridge(gpu, matrix(40, 5), matrix(39, 3), {}),
      refused: /40|39/,
    },
  ];
}
