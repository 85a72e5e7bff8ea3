import { assertEquals } from "@std/assert";
import { byCurrentNames } from "../../src/align/train_options.ts";

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
