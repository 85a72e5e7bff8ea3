import { assertEquals, assertStringIncludes } from "@std/assert";
import { embeddedModels, embeddedWorld, subjectOf, vocOf } from "../src/experiments/embedded_world.ts";
import { copyFolder } from "./copy_folder.ts";
import { inTemporaryFolder } from "./in_temporary_folder.ts";

const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"];
const TASK = new URL("../tasks/colors.ts", import.meta.url).pathname;
const SMALL = ["--quick", "--limit", "3", "--landmarks", "100"];

async function colors(root: string, name: string, ...args: string[]) {
  const places = ["--cache", `${root}/${name}-cache`, "--out", `${root}/${name}`];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, TASK, ...SMALL, ...places, ...args],
  }).output();
  const errors = new TextDecoder().decode(stderr);
  assertEquals(code, 0, errors);
  const { experiments, inputs } = JSON.parse(await Deno.readTextFile(`${root}/${name}/results.json`));
  return { errors, inputs, found: experiments.colors };
}

Deno.test("folders and models given by path give the numbers of the embedded ones, which are the same data", () =>
  inTemporaryFolder(async (root) => {
    const embedded = await colors(root, "embedded");
    const cache = `${root}/embedded-cache`, world = await embeddedWorld(120, cache);
    await copyFolder(subjectOf(world, cache), `${root}/anyone`);
    await copyFolder(vocOf(world, cache), `${root}/photographs`);
    for (const model of embeddedModels()) {
      for (const path of [model, model.replace(".onnx", ".preprocessor.json")]) {
        await Deno.copyFile(path, `${root}/${path.replace(/^.*\//, "")}`);
      }
    }
    const own = await colors(
      ...[root, "own", "--data", `algonauts:${root}/anyone`, "--data", `voc:${root}/photographs`],
      ...embeddedModels().flatMap((path) => ["--model", `${root}/${path.replace(/^.*\//, "")}`]),
    );
    assertEquals(own.found, embedded.found);
    assertEquals([embedded.inputs.data, own.inputs.data], ["embedded", "algonauts anyone, voc photographs"]);
    assertStringIncludes(own.errors, "120 training and 24 test images");
    assertEquals(own.errors.match(/found {5}file, 12 layers, patches of 8 × 8 pixels/g)?.length, 3);
    assertStringIncludes(
      own.errors,
      "used for  graph and segmentation of 3, agreement of models on 3 others",
    );
  }));
