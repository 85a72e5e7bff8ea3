import { assertEquals } from "@std/assert";
import { closeGpu, openGpu, ridge } from "../../mod.ts";
import { byCurrentNames } from "../../src/align/train_options.ts";
import { randomMatrix } from "../support/random.ts";

Deno.test("byCurrentNames() takes the former names of options, says so, and leaves current ones alone", () => {
  const original = console.warn, lines: string[] = [];
  console.warn = (line: string) => lines.push(line);
  try {
    assertEquals(byCurrentNames({ lambdaEigen: 0, lambdaZero: 2, zeroWeight: 3, epochs: 4 }), {
      eigenWeight: 0,
      zeroWeight: 3,
      epochs: 4,
    });
    assertEquals(lines, [
      "trainAlign(): the option lambdaEigen is now called eigenWeight.",
      "trainAlign(): the option lambdaZero is now called zeroWeight.",
    ]);
    assertEquals(byCurrentNames({ covarianceWeight: 1 }), { covarianceWeight: 1 });
    assertEquals(lines.length, 2);
  } finally {
    console.warn = original;
  }
});

Deno.test("ridge() takes the former names of its penalties, and says so", async () => {
  const original = console.warn, lines: string[] = [], gpu = await openGpu();
  console.warn = (line: string) => lines.push(line);
  try {
    const x = randomMatrix(20, 4), y = randomMatrix(20, 3, 1);
    const { alpha } = await ridge(gpu, x, y, { lambdas: [7], lambdaFor: "all" } as Record<string, unknown>);
    assertEquals([...alpha], [7, 7, 7]);
    assertEquals(lines, [
      "ridge(): the option lambdas is now called alphas.",
      "ridge(): the option lambdaFor is now called alphaFor.",
    ]);
  } finally {
    console.warn = original;
    closeGpu(gpu);
  }
});
