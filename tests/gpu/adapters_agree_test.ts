/** Two adapters give the same answers up to float32's rounding; where there is only one, it and itself in another variant. */
import { assert } from "@std/assert";
import {
  affinity,
  alignData,
  closeGpu,
  fitNystrom,
  type Gpu,
  matmul,
  matrixSource,
  nearestNeighbors,
  normalizedCut,
  openGpu,
  ridge,
  trainAlign,
  tsne,
} from "../../mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { largestPrincipalAngle } from "../support/principal_angle.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { productScale } from "../reference/matmul.ts";
import { withBindings } from "../support/simulated_limits.ts";

/** A hardware adapter and the software one; where there is no hardware, the software one and a stand-in. */
async function openTwo(): Promise<{ one: Gpu; other: Gpu; name: string }> {
  const one = await openGpu({ adapter: "software" });
  try {
    return { one, other: await openGpu({ adapter: "hardware" }), name: "software and hardware" };
  } catch {
    const other = withBindings({ ...await openGpu({ adapter: "software" }), variant: "registers" }, 2 ** 20);
    return { one, other, name: "software, textures and registers" };
  }
}

const { one, other, name } = await openTwo();
Deno.test.afterAll(() => [one, other].forEach(closeGpu));
const note = `${name}, seed ${testSeed}`;

async function both<T>(work: (gpu: Gpu) => Promise<T>): Promise<[T, T]> {
  return [await work(one), await work(other)];
}

Deno.test(`adapters agree (${name}): products and affinities to 1e-6, neighbours but for ties`, async () => {
  const a = randomMatrix(301, 1031), b = randomMatrix(1031, 67, 1);
  const [c, d] = await both((gpu) => matmul(gpu, a, b));
  assertClose(d.data, c.data, { relative: 1e-6, scale: productScale(a.data, b.data, 301, 1031, 67), note });
  const x = clusteredNodes(700, 33, 9, 0.4, testSeed);
  const [p, q] = await both((gpu) => affinity(gpu, x));
  assertClose(q.data, p.data, { relative: 1e-6, note });
  const [near, far] = await both((gpu) => nearestNeighbors(gpu, x, x, { k: 10 }));
  assertClose(far.similarities, near.similarities, { relative: 1e-6, note });
});

Deno.test(`adapters agree (${name}): eigenvalues to 1e-5, eigenvectors to 0.01 rad, signs`, async () => {
  const x = clusteredNodes(2003, 24, 6, 0.3, testSeed), source = matrixSource(x);
  const cuts = await both((gpu) => normalizedCut(gpu, x, { components: 6 }));
  const models = await both((gpu) =>
    fitNystrom(gpu, source, { landmarks: 150, neighbors: "all", components: 6 })
  );
  const carried = await Promise.all(models.map((model) => model.transform(source)));
  for (
    const [[a, b], [v, w]] of [
      [cuts.map(({ eigenvalues }) => eigenvalues), cuts.map(({ eigenvectors }) => eigenvectors)],
      [models.map(({ cut }) => cut.eigenvalues), carried],
    ] as const
  ) {
    assertClose(b, a, { relative: 1e-5, note });
    const angle = largestPrincipalAngle(Float64Array.from(v.data), Float64Array.from(w.data), v.rows, v.cols);
    assert(angle < 0.01, `${angle} rad, ${note}`);
    for (const column of [0, 1]) { // later ones may turn among each other where eigenvalues are close
      let product = 0;
      for (let i = column; i < v.data.length; i += v.cols) product += v.data[i] * w.data[i];
      assert(product > 0, `column ${column}, ${note}`);
    }
  }
});

Deno.test(`adapters agree (${name}): t-SNE's divergence to 2 %, ridge to 1e-4, the losses of alignment to 1e-3`, async () => {
  const x = clusteredNodes(400, 8, 5, 0.3, testSeed);
  const [s, t] = await both((gpu) => tsne(gpu, x, { dimensions: 2 }));
  assertClose([t.kl], [s.kl], { relative: 0.02, note });
  const features = randomMatrix(120, 40), responses = randomMatrix(120, 30, 1);
  const [r, u] = await both((gpu) => ridge(gpu, features, responses));
  assertClose(u.weights.data, r.weights.data, { relative: 1e-4, note });
  const slots = [{ name: "a L1", width: 20 }, { name: "b L1", width: 20 }];
  const tokens = slots.map((_, slot) => clusteredNodes(300, 20, 4, 0.4, testSeed + slot));
  const data = alignData(slots, features, responses, tokens);
  const options = { width: 8, epochs: 3, batch: 32, components: 4, nodes: 80 };
  const [f, g] = await both((gpu) => trainAlign(gpu, data, options));
  f.history.forEach(({ brain, validation }, i) =>
    assertClose([g.history[i].brain, g.history[i].validation], [brain, validation], { relative: 1e-3, note })
  );
});
