import landmarks from "../../fixtures/subject/landmarks.json" with { type: "json" };
import { fsaverageSphere } from "../../src/data/datasets/icosphere.ts";
import { matrixSource } from "../../src/graph/node_source.ts";
import { explore, type ExplorerPipeline } from "../../src/experiments/explorer/compute.ts";
import { spread } from "../../src/report/explorer/spread.ts";
import { sheetPlaces } from "../../src/synthetic/subject_voxels.ts";
import { type VoxelSheet, voxelSheet } from "../../src/pipeline/voxel_sheet.ts";
import type { Matrix } from "../../mod.ts";
import { randomMatrix } from "./random.ts";
import { createToySubject } from "./toy_subject.ts";

const IMAGES = 4, LAYERS = 3, MODELS = ["mae_tiny", "clip_tiny"], GRID = { rows: 4, cols: 5 };
const TOKENS = 1 + GRID.rows * GRID.cols, SLOT = IMAGES * TOKENS;

/** A made-up pipeline of four images with hostile names, two models and three layers, or other numbers of these; random unless `matrix` fills it. */
export function samplePipeline(
  matrix: typeof randomMatrix = randomMatrix,
  layers = LAYERS,
): { pipeline: ExplorerPipeline; aligned: Matrix; beta: Matrix } {
  const slots = MODELS.flatMap((model, m) =>
    Array.from({ length: layers }, (_, l) => ({ model, layer: l + 1, first: (m * layers + l) * SLOT }))
  );
  const nodes = slots.length * SLOT;
  const data = Uint8Array.from({ length: 3 * 64 }, (_, i) => 7 * i % 256);
  return {
    pipeline: {
      models: MODELS,
      slots,
      tokens: TOKENS,
      grid: GRID,
      images: Array.from({ length: IMAGES }, (_, i) => ({
        name: `</script><img src=x onerror=alert(${i})>.png`,
        load: () => Promise.resolve({ width: 8, height: 8, data: data.map((value) => value ^ (40 * i)) }),
      })),
      eigenvectors: matrix(nodes, 6, 1),
      colors: Uint8Array.from({ length: 3 * nodes }, (_, i) => i % 251),
    },
    aligned: matrix(nodes, 8, 2),
    beta: matrix(8, 48, 3),
  };
}

/** What the explorer shows of three of those images, and which they are. */
export async function sampleExploration(
  sheet: VoxelSheet = { places: sheetPlaces(createToySubject()), note: "" },
  matrix?: typeof randomMatrix,
  layers?: number,
) {
  const { pipeline, aligned, beta } = samplePipeline(matrix, layers);
  const images = spread(3, IMAGES);
  const { content, errors } = await explore(pipeline, matrixSource(aligned), beta, sheet, images);
  return { pipeline, aligned, beta, images, content, errors };
}

/** Rows of the embedded images' nodes, in the page's order and without rounding. */
export function embeddedRows(
  { data, cols }: Matrix,
  { slots, tokens }: ExplorerPipeline,
  images: number[],
): Matrix {
  const rows = slots.flatMap(({ first }) =>
    images.map((image) =>
      data.subarray((first + image * tokens) * cols, (first + (image + 1) * tokens) * cols)
    )
  );
  const all = new Float32Array(rows.length * tokens * cols);
  rows.forEach((row, i) => all.set(row, i * tokens * cols));
  return { data: all, rows: rows.length * tokens, cols };
}

/** The sample's 48 voxels on fsaverage: a patch of V1 and one of FFA in each hemisphere. */
export async function surfaceSheet(): Promise<VoxelSheet> {
  const { places } = fsaverageSphere();
  const near = (vertex: number) => {
    const cosine = (other: number) =>
      [0, 1, 2].reduce((sum, axis) => sum + places[3 * vertex + axis] * places[3 * other + axis], 0);
    return Array.from({ length: 10_242 }, (_, other) => other).sort((a, b) => cosine(b) - cosine(a))
      .slice(0, 12);
  };
  const surfaceVertices = Uint32Array.from(
    (["lh", "rh"] as const).flatMap((hemisphere) =>
      (["periphery", "FFA"] as const).flatMap((name) => near(landmarks[name][hemisphere].vertex))
    ),
  );
  const rois = new Map([["V1", Uint32Array.from({ length: 24 }, (_, i) => i < 12 ? i : 12 + i)]]);
  rois.set("FFA", rois.get("V1")!.map((voxel) => voxel + 12));
  return await voxelSheet({ voxels: { lh: 24, rh: 24, total: 48 }, rois, surfaceVertices });
}
