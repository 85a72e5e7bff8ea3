import { assertEquals, assertThrows } from "@std/assert";
import { DATA_OPTIONS, foldersOf } from "../../src/cli/data_options.ts";
import { text, toggle } from "../../src/cli/option_kinds.ts";
import { parseOptions } from "../../src/cli/options.ts";

const OPTIONS = { ...DATA_OPTIONS, seed: text({ help: "" }), quick: toggle({ help: "" }) };
const parse = (...args: string[]) => parseOptions(OPTIONS, args)!.options;

Deno.test("DATA_OPTIONS read folders by kind, models, and what is read of them", () => {
  const args = ["--quick", "--data", "voc:/a:b/c d", "--seed", "3", "--data=algonauts:x", "--images", "p"];
  const found = parse(...args);
  assertEquals(foldersOf(found), { voc: "/a:b/c d", algonauts: "x", images: "p" });
  assertEquals([found.model, found.quick, found.seed], [[], true, "3"]);
  assertEquals(foldersOf(parse()), {});
  assertEquals(parse("--model", "a.onnx,b.onnx", "--model=c", "--seed", "1").model, [
    "a.onnx",
    "b.onnx",
    "c",
  ]);
  const { hook, stride, extract } = parse("--hook", "k", "--stride=7", "--extract", "auto");
  assertEquals([hook, stride, extract], ["k", 7, "auto"]);
});

Deno.test("DATA_OPTIONS refuse what names no kind or no folder, and a kind given twice", () => {
  const refused = (args: string[], message: string) =>
    assertThrows(() => parse(...args), RangeError, message);
  for (const value of ["vocs:x", "voc", "voc:", "images:x", ":x"]) {
    refused(
      ["--data", value],
      `--data is "${value}": give algonauts:DIR, nsd:DIR, voc:DIR or imagenet-seg:DIR.`,
    );
  }
  refused(["--data"], "--data is given without a value: write --data=KIND:DIR.");
  refused(["--images"], "--images is given without a value: write --images=DIR.");
  refused(["--images", "--quick"], "--images is given without a value");
  refused(
    ["--images", "README.md"],
    "--images is README.md, a file: give the folder of photographs that it is in.",
  );
  refused(
    ["--images", "fixtures/models/clip_tiny.onnx"],
    "--images is fixtures/models/clip_tiny.onnx, a model: write --model fixtures/models/clip_tiny.onnx",
  );
  refused(["--input", "voc:x"], "There is no option --input: did you mean --data voc:x?");
  refused(["--extract=cuda"], '--extract is "cuda": give cpu, webgpu or auto.');
  refused(["--stride", "half"], '--stride is "half": give a whole number from 1 to 9999.');
  refused(["--stride", "0"], '--stride is "0"');
  refused(["--hook=keys"], '--hook is "keys": give attention, residual, mlp, q, k or v.');
  refused(["--model"], "--model is given without a value: write --model=FILE.");
  const twice = "is given twice, a and b: give one folder of each kind.";
  refused(["--data", "voc:a", "--data=voc:b"], `--data voc: ${twice}`);
  refused(["--images", "a", "--images=b"], `--images ${twice}`);
});
