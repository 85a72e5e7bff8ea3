import { closeGpu, openGpu } from "../../mod.ts";
import { adamwStep, createParameter, releaseParameter } from "../../src/align/adamw.ts";
import { downloadMatrices, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { adamw as reference } from "../reference/adamw.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("adamwStep() equals the float64 reference over three steps, whatever the panels", async (t) => {
  for (const [rows, cols] of [[1, 1], [3, 5], [131, 67], [1031, 257]]) {
    await t.step(`${rows} × ${cols}`, async () => {
      for (const bytes of [Infinity, 2 ** 15]) {
        const small = withBindings(gpu, bytes), start = randomMatrix(rows, cols);
        const parameter = createParameter(small, start, 0.01, "parameter");
        let expected = {
          value: Float64Array.from(start.data),
          first: new Float64Array(rows * cols),
          second: new Float64Array(rows * cols),
        };
        for (let step = 1; step <= 3; step++) {
          const gradient = randomMatrix(rows, cols, step);
          parameter.gradient = uploadMatrix(small, gradient, "gradient");
          adamwStep(small, parameter, 0.01, step);
          expected = reference({ ...expected, gradient: gradient.data }, { rate: 0.01, decay: 0.01, step });
        }
        const { value, first, second } = parameter;
        const found = await downloadMatrices(small, value, first, second);
        (["value", "first", "second"] as const).forEach((name, i) =>
          assertClose(found[i].data, expected[name], { relative: 1e-5, note: `${name}, seed ${testSeed}` })
        );
        releaseParameter(small, parameter);
      }
    });
  }
});
