import { assertEquals } from "@std/assert";
import { runDataLine } from "../../../src/experiments/shared/run_data.ts";
import { dataLine } from "../../../src/report/data_line.ts";
import { isOfDataset } from "../../../src/synthetic/dataset.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

Deno.test("runDataLine() says of images, responses and models whether each is real or synthetic", async () => {
  const cases: [string, string[], string][] = [
    [
      "embedded",
      ["mae_tiny", "clip_tiny"],
      "rendered scenes and a simulated subject, mae_tiny, clip_tiny, trained on rendered scenes (synthetic).",
    ],
    [
      "voc VOC2012, simulated subject",
      ["dinov2_vits14_saliency"],
      "photographs of voc VOC2012 (real); responses of a simulated subject (synthetic); weights of dinov2_vits14_saliency (real).",
    ],
    [
      "algonauts subj01, images Holiday",
      ["vit", "mae_tiny"],
      "images and responses of algonauts subj01, photographs of Holiday (real); weights of vit (as given); mae_tiny, trained on rendered scenes (synthetic).",
    ],
    [
      "voc voc (synthetic dataset), algonauts subj01",
      [],
      "photographs of voc voc (synthetic); images and responses of algonauts subj01 (real).",
    ],
    ["real", ["vit"], "measured cortex, human and monkey (real); weights of vit (as given)."],
    ["synthetic", [], "generated features and images (synthetic)."],
    ["photographs", [], "photographs (real)."],
  ];
  for (const [data, models, line] of cases) assertEquals(await runDataLine(data, models), line);
  assertEquals(
    dataLine([{ what: "a", kind: "real" }, { what: "b", kind: "synthetic" }]),
    "a (real); b (synthetic).",
  );
});

Deno.test("isOfDataset() knows the folders of a synthetic dataset, and no others", () =>
  inTemporaryFolder(async (dir) => {
    await Deno.mkdir(`${dir}/synthetic/voc/JPEGImages`, { recursive: true });
    await Deno.mkdir(`${dir}/other`);
    for (const name of ["made.json", "dataset.json"]) {
      await Deno.writeTextFile(`${dir}/synthetic/${name}`, "{}");
    }
    const folders = ["synthetic", "synthetic/voc/", "synthetic/voc/JPEGImages", "other"];
    assertEquals(await Promise.all(folders.map((name) => isOfDataset(`${dir}/${name}`))), [
      true,
      true,
      true,
      false,
    ]);
  }));
