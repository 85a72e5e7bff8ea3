import { normalizedCut, openGpu } from "../../mod.ts";
import { FEATURES } from "../golden/features.ts";
import { randomMatrix } from "../support/random.ts";

const gpu = await openGpu();

const inputs = { ...FEATURES, "noise 4728": () => randomMatrix(4728, 96) };
for (const [name, make] of Object.entries(inputs)) {
  const x = make();
  Deno.bench(`normalizedCut, ${name} × ${x.cols}, 20 components`, { n: 2, warmup: 1 }, async () => {
    const { converged } = await normalizedCut(gpu, x, { components: 20 });
    if (!converged) throw new Error("did not converge");
  });
}
