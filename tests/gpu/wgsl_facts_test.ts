/** What the kernels rely on of a WebGPU: WGSL's own bounds (W3C, "Floating Point Accuracy"), and no more. */
import { assert, assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { wgslFacts } from "../support/wgsl_facts.ts";

/** Largest error allowed, ulp; that of exp is 3 + 2 |x|. */
const ULP: Record<string, number> = {
  "x * y": 0.5,
  "x + y": 0.5,
  "x / y": 2.5,
  "sqrt(x)": 3,
  "exp(x) for −2 ≤ x ≤ 0": 7,
  "exp(x) for −80 ≤ x ≤ −2": 163,
  "log(x) for 2 ≤ x ≤ 1000": 3,
};

Deno.test("float32 on this device is as near as WGSL demands; exp of far less than 0 is 0; copied bits stay", async () => {
  const gpu = await openGpu();
  const facts = new Map((await wgslFacts(gpu)).map(({ question, answer }) => [question, answer]));
  closeGpu(gpu);
  for (const [name, bound] of Object.entries(ULP)) {
    const error = Number(facts.get(`error of ${name}, ulp`));
    assert(error <= bound, `${name}: ${error} ulp, allowed ${bound}`);
  }
  assertEquals(["exp(−200)", "2⁻¹⁴⁰ copied"].map((question) => facts.get(question)), ["0", "kept"]);
});
