/** Faults in `src/scripting`. */
import type { Mutant } from "./mutant.ts";

export const SCRIPTING: readonly Mutant[] = [
  {
    file: "src/scripting/model_features.ts",
    text: "if (token[i] > 0) data.set(vector, (image[i] * patches + token[i] - 1) * cols);",
    replacement: "if (token[i] < patches) data.set(vector, (image[i] * patches + token[i]) * cols);",
    breaks: "the class token is kept in place of the last patch",
    tests: ["end_to_end/scripting_test.ts"],
  },
  {
    file: "src/scripting/model_features.ts",
    text: "if (layers && !layers.includes(layer)) continue;",
    replacement: "",
    breaks: "layers that were not asked for are given",
    tests: ["end_to_end/scripting_test.ts"],
  },
  {
    file: "src/scripting/script_options.ts",
    text: "isWhole ? wholeNumber : realNumber",
    replacement: "realNumber",
    breaks: "a part of a layer is taken",
    tests: ["end_to_end/scripting_test.ts"],
  },
  {
    file: "src/scripting/photographs.ts",
    text: "(Math.floor(y / zoom) * width + Math.floor(x / zoom))",
    replacement: "(Math.floor(x / zoom) * width + Math.floor(y / zoom))",
    breaks: "enlarged pictures are transposed",
    tests: ["end_to_end/scripting_test.ts"],
  },
  {
    file: "src/scripting/brain_subject.ts",
    text: "images.slice(0, limit)",
    replacement: "images",
    breaks: "the limit is ignored",
    tests: ["data/datasets/algonauts_test.ts"],
  },
  {
    file: "src/scripting/photographs.ts",
    text: "return paths.slice(0, limit);",
    replacement: "return paths;",
    breaks: "the limit of photographs is ignored",
    tests: ["end_to_end/scripting_test.ts"],
  },
  {
    file: "src/scripting/chart_page.ts",
    text: "({ width: width - 90, ...chart })",
    replacement: "({ ...chart, width: width - 90 })",
    breaks: "a chart's own width is overwritten",
    tests: ["end_to_end/scripting_test.ts"],
  },
];
