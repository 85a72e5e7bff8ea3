/** The saved space as the live page has it: `space.bin` for its worker, `cortex.bin` for the page itself. */
import type { AlignedSpace } from "../../align/space.ts";
import type { SavedSpace } from "../../data/fits/space_file.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { type NystromFit, nystromModel } from "../../graph/nystrom.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import type { ExplorerContent } from "../../report/explorer/content.ts";
import type { SpacePart } from "../shared/space_colors.ts";
import { pack, type PackedArray, unpack } from "./packed.ts";

/** Voxels and their regions, as the explorer shows them; β beside them. */
export type LiveCortex =
  & Pick<ExplorerContent, "rois" | "voxelRois" | "sheet" | "surface">
  & { beta: Matrix };

type Shape = [rows: number, cols: number];

/** What a space's file says beside its matrices. */
interface SpaceAbout {
  slots: AlignedSpace["model"]["slots"];
  shared: number;
  neighbors: NystromFit["neighbors"];
  sampling: NystromFit["sampling"];
  seed: number;
  eigenvalues: number[];
  shapes: Record<string, Shape>;
}

/** Packs what colors tokens; `space.bin`. */
export function packSpace({ space: { model }, fit, map }: SavedSpace): Uint8Array<ArrayBuffer> {
  const { landmarks: { features }, cut, projection, neighbors, sampling, seed } = fit;
  const matrices: Record<string, Matrix> = {
    transforms: model.transforms,
    ...(model.offsets && { offsets: model.offsets }),
    landmarks: features,
    eigenvectors: cut.eigenvectors,
    ...(projection && { projection }),
    vectors: map.vectors,
    points: map.points,
  };
  const about: SpaceAbout = {
    slots: model.slots,
    shared: model.shared ?? model.beta.rows,
    neighbors,
    sampling,
    seed,
    eigenvalues: [...cut.eigenvalues],
    shapes: Object.fromEntries(
      Object.entries(matrices).map(([name, { rows, cols }]) => [name, [rows, cols] as Shape]),
    ),
  };
  return pack(about, {
    means: model.means!,
    ...Object.fromEntries(Object.entries(matrices).map(([name, { data }]) => [name, data])),
  });
}

/**
 * Opens what `packSpace` packed: tokens take the vectors of their nearest landmarks by comparison with all of them, whatever list
 * the pipeline had.
 */
export function openSpace(gpu: Gpu, buffer: ArrayBuffer): SpacePart & { shared: number } {
  const { about, arrays } = unpack(buffer, "space.bin");
  const { slots, shared, neighbors, sampling, seed, eigenvalues, shapes } = about as SpaceAbout;
  const matrix = (name: string): Matrix => {
    const [rows, cols] = shapes[name];
    return { data: arrays[name] as Float32Array, rows, cols };
  };
  const cut = {
    eigenvectors: matrix("eigenvectors"),
    eigenvalues: Float64Array.from(eigenvalues),
    residuals: new Float64Array(eigenvalues.length),
    degrees: new Float32Array(shapes.landmarks[0]),
    eigengap: null,
    converged: true,
    resolved: eigenvalues.length,
  };
  return {
    model: {
      slots,
      means: arrays.means as Float32Array,
      shared,
      transforms: matrix("transforms"),
      ...(shapes.offsets && { offsets: matrix("offsets") }),
    },
    shared,
    fit: nystromModel(gpu, {
      landmarks: { indices: new Uint32Array(shapes.landmarks[0]), features: matrix("landmarks") },
      cut,
      projection: shapes.projection ? matrix("projection") : null,
      neighbors,
      ivf: null,
      sampling,
      seed,
    }),
    map: { vectors: matrix("vectors"), points: matrix("points") },
  };
}

/** Packs what draws the cortex; `cortex.bin`. */
export function packCortex({ rois, voxelRois, sheet, surface, beta }: LiveCortex): Uint8Array<ArrayBuffer> {
  const { leftVoxels, leftCut, ...places } = surface ?? {};
  return pack(
    { rois, sheet, shape: [beta.rows, beta.cols], surface: surface && { leftVoxels, leftCut } },
    { voxelRois, beta: beta.data, ...places as Record<string, PackedArray> },
  );
}

/** Undoes `packCortex`. */
export function openCortexFile(buffer: ArrayBuffer): LiveCortex {
  const { about, arrays: { voxelRois, beta, ...places } } = unpack(buffer, "cortex.bin");
  const { rois, sheet, shape: [rows, cols], surface } = about as LiveCortex & { shape: Shape };
  return {
    rois,
    sheet,
    voxelRois: voxelRois as Uint8Array,
    beta: { data: beta as Float32Array, rows, cols },
    ...(surface && { surface: { ...surface, ...places } as LiveCortex["surface"] }),
  };
}
