/** A folder of the live page with a small space, scenes for it, and what Deno computes of them. */
import { encode } from "fast-png";
import { renderScene } from "../../fixtures/scenes/mod.ts";
import { applyAlign } from "../../src/align/model.ts";
import { fitSpace } from "../../src/align/space.ts";
import type { FeatureManifest } from "../../src/data/features/extract_parts.ts";
import { streamFeatures } from "../../src/data/features/stream_features.ts";
import { readSpace, type SavedSpace, saveSpace } from "../../src/data/fits/space_file.ts";
import { readImage } from "../../src/data/images/image.ts";
import { openKnownModel } from "../../src/data/models/known_models.ts";
import { fitSpectralMap } from "../../src/embed/spectral_map.ts";
import type { Gpu } from "../../src/gpu/mod.ts";
import { matrixSource } from "../../src/graph/node_source.ts";
import { fitNystrom } from "../../src/graph/nystrom.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { randomMatrix } from "../support/random.ts";

const VOXELS = 30, COMPONENTS = 8;

/** Writes a scene as a PNG file, which browsers decode as Deno does. */
export async function writeScene(path: string, seed: number): Promise<void> {
  const { width, height, rgb: data } = renderScene(seed);
  await Deno.writeFile(path, encode({ width, height, data, channels: 3, depth: 8 }));
}

/** Every layer's tokens of some photographs, photograph by photograph, and what they are. */
export async function layersHere(
  model: string,
  paths: readonly string[],
): Promise<{ images: Matrix[][]; manifest: FeatureManifest }> {
  const { preprocessor, path, registers } = await openKnownModel(model),
    images: Matrix[][] = paths.map(() => []);
  let width = 0;
  const manifest = await streamFeatures({
    model: path,
    preprocessor,
    ...(registers !== undefined && { registers }),
    images: paths.map((path) => ({ name: path, load: () => readImage(path) })),
    outDir: "",
    dtype: "float32",
    batch: 1,
  }, {
    begin: (manifest) => void ({ width } = manifest),
    rows(layer, { vectors: data }) {
      images.find(({ length }) => length === layer)!.push({ data, rows: data.length / width, cols: width });
    },
  });
  return { images, manifest };
}

/** A space of one model's layers, fitted on random responses to scenes: its numbers mean nothing. */
export async function smallSpace(gpu: Gpu, model: string, folder: string): Promise<SavedSpace> {
  const paths = Array.from({ length: 10 }, (_, seed) => `${folder}/of-space-${seed}.png`);
  for (const [seed, path] of paths.entries()) await writeScene(path, seed);
  const { images, manifest } = await layersHere(model, paths);
  const { cols: width } = images[0][0], count = images[0].length;
  const slots = images[0].map((_, at) => ({ name: `${model} L${at + 1}`, width }));
  const pooled = {
    data: new Float32Array(images.length * count * width),
    rows: images.length,
    cols: count * width,
  };
  images.forEach((layers, i) =>
    layers.forEach(({ data, rows }, l) =>
      data.forEach((value, at) => pooled.data[(i * count + l) * width + at % width] += value / rows)
    )
  );
  const responses = randomMatrix(images.length, VOXELS, 5);
  const space = await fitSpace(gpu, slots, pooled, responses, { components: COMPONENTS });
  const aligned = await applyAlign(gpu, space.model, 5, images[0][5]);
  const fit = await fitNystrom(gpu, matrixSource(aligned), { landmarks: 100, components: 6, neighbors: 8 });
  const vectors = await fit.transform(matrixSource(aligned));
  const map = await fitSpectralMap(gpu, matrixSource(vectors), { sample: 60, iterations: 50 });
  const { modelSha256, hook, shifts, preprocessing } = manifest;
  const path = `${folder}/space.arrow`;
  await saveSpace(path, {
    space,
    fit,
    map: { vectors: map.vectors, points: map.maps[0].points },
    sources: [{ model, modelSha256, hook, shifts, preprocessing }],
    sheet: {
      rois: Array.from({ length: VOXELS }, (_, voxel) => voxel % 2 ? "V1" : "FFA"),
      leftVoxels: VOXELS / 2,
      places: randomMatrix(VOXELS, 2, 6),
      vertices: {
        data: Float32Array.from({ length: VOXELS }, (_, voxel) => 7 * voxel),
        rows: VOXELS,
        cols: 1,
      },
    },
  });
  return await readSpace(path);
}
