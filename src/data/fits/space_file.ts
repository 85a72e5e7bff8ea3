/** An aligned space with what colors tokens in it, in one file: a model that is added later gets the same colors. */
import * as v from "valibot";
import type { AlignedSpace } from "../../align/space.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { type NystromFit, type NystromModel, nystromModel } from "../../graph/nystrom.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { FITS, readMatrices, SLOTS, writeMatrices } from "./align_file.ts";
import { CUT_QUALITY, FIT_CHOICES } from "./nystrom_file.ts";
import { listOf, NUMBER, objectOf, TEXT, wholeNumber } from "../files/checked_json.ts";
import { reasonOf } from "../files/atomic_write.ts";

const FORMAT = "alignedcut-space-1";
/** Its name where `./run reproduce` leaves one, beside the pages. */
export const SPACE_FILE = "space.arrow";

/** What the tokens of a model's layers are: other tokens of as many channels would get colors that mean nothing. */
export interface TokenSource {
  model: string;
  modelSha256: string;
  /** What was taken of every block, as "attention". */
  hook: string;
  /** Shifted images along each side; 1 for none. */
  shifts: number;
  /** Preprocessing and registers, as JSON. */
  preprocessing: string;
}

/** Where the voxels lie, in the order of the encoder's columns: the left hemisphere's first. */
export interface SavedSheet {
  /** Region of every voxel; "" for none. */
  rois: string[];
  /** Voxels of the left hemisphere. */
  leftVoxels: number;
  /** voxels × 2: from left to right, and from top to bottom. */
  places: Matrix;
  /** Vertex of fsaverage5 in the voxel's hemisphere, voxels × 1; absent where that is not known. */
  vertices?: Matrix;
}

/** What a file holds. */
export interface SavedSpace<Fit = NystromFit> {
  space: AlignedSpace;
  /** The graph's landmarks and their eigenvectors. */
  fit: Fit;
  /** The spectral map: the sample's eigenvectors, sample × C, and its places, sample × 3. */
  map: { vectors: Matrix; points: Matrix };
  /** One a model; none where that was not known. */
  sources: TokenSource[];
  /** Absent in files of earlier versions. */
  sheet?: SavedSheet;
}

const NOTES = objectOf({
  slots: SLOTS,
  shared: wholeNumber(),
  fits: FITS,
  held: NUMBER,
  ...FIT_CHOICES,
  indices: listOf(wholeNumber(), "a list of landmarks"),
  cut: objectOf(CUT_QUALITY, "the quality of the cut"),
  sources: v.optional(listOf(
    objectOf(
      { model: TEXT, modelSha256: TEXT, hook: TEXT, shifts: wholeNumber(1), preprocessing: TEXT },
      "what tokens are",
    ),
    "a list of models",
  )),
  rois: v.optional(listOf(v.string(), "a list of regions")),
  leftVoxels: v.optional(wholeNumber()),
}, "the notes of a space");
const REQUIRED = [
  "W",
  "β",
  "ε",
  "means",
  "basis",
  "center",
  "landmarks",
  "eigenvectors",
  "degrees",
  "map vectors",
  "map points",
];

/**
 * Writes a space with the graph's landmarks and its map, whole or not at all, with a hash of it all.
 *
 * @param path by custom ending in .arrow
 */
export async function saveSpace(
  path: string,
  { space, fit, map, sources, sheet }: SavedSpace,
): Promise<void> {
  const { model, basis, center, fits, held } = space, { landmarks, cut, projection, ...choices } = fit;
  const { eigenvectors, eigenvalues, residuals, degrees, eigengap, converged, resolved } = cut;
  const row = (data: Float32Array) => ({ data, rows: 1, cols: data.length });
  const { neighbors, ivf, sampling, seed } = choices;
  await writeMatrices(path, FORMAT, {
    W: model.transforms,
    "β": model.beta,
    "ε": row(model.epsilon),
    means: row(model.means!),
    ...(model.offsets && { offsets: model.offsets }),
    basis,
    center: row(center),
    landmarks: landmarks.features,
    eigenvectors,
    degrees: row(degrees),
    ...(projection && { projection }),
    "map vectors": map.vectors,
    "map points": map.points,
    ...(sheet && { places: sheet.places }),
    ...(sheet?.vertices && { vertices: sheet.vertices }),
  }, {
    slots: model.slots,
    shared: model.shared,
    fits,
    held,
    neighbors,
    shortlist: ivf,
    sampling,
    seed,
    indices: [...landmarks.indices],
    sources,
    ...(sheet && { rois: sheet.rois, leftVoxels: sheet.leftVoxels }),
    cut: { eigenvalues: [...eigenvalues], residuals: [...residuals], eigengap, converged, resolved },
  });
}

/**
 * Reads what `saveSpace` wrote.
 *
 * @returns the same, bit for bit, with `fit` ready to `transform` aligned tokens
 * @throws Error "Cannot read the space space.arrow: it is damaged; save it again."
 */
export async function loadSpace(gpu: Gpu, path: string): Promise<SavedSpace<NystromModel>> {
  const saved = await readSpace(path);
  return { ...saved, fit: nystromModel(gpu, saved.fit) };
}

/** The same without a device: the fit is data alone. */
export async function readSpace(path: string): Promise<SavedSpace> {
  try {
    const { matrices, meta } = await readMatrices(path, NOTES, FORMAT);
    const { W: transforms, "β": beta, "ε": epsilon, means, offsets, basis, center, landmarks, eigenvectors } =
      matrices;
    const { slots, shared, fits, held, neighbors, shortlist: ivf, sampling, seed, indices, cut } = meta;
    const { sources, rois, leftVoxels } = meta;
    const { eigenvalues, residuals, resolved = eigenvalues.length, ...quality } = cut;
    const absent = REQUIRED.find((name) => !matrices[name]);
    if (absent) throw new Error(`its matrix "${absent}" is missing`);
    const { places, vertices } = matrices;
    if (rois && !(places?.rows === rois.length && rois.length === beta.cols && leftVoxels! <= rois.length)) {
      throw new Error("its voxels have no places");
    }
    return {
      space: {
        model: {
          slots,
          means: means.data,
          shared,
          transforms,
          ...(offsets && { offsets }),
          beta,
          epsilon: epsilon.data,
        },
        fits,
        basis,
        center: center.data,
        held,
      },
      fit: {
        landmarks: { indices: Uint32Array.from(indices), features: landmarks },
        cut: {
          ...quality,
          resolved,
          eigenvectors,
          degrees: matrices.degrees.data,
          eigenvalues: Float64Array.from(eigenvalues),
          residuals: Float64Array.from(residuals),
        },
        projection: matrices.projection ?? null,
        neighbors,
        ivf,
        sampling,
        seed,
      },
      map: { vectors: matrices["map vectors"], points: matrices["map points"] },
      sources: sources ?? [],
      ...(rois && { sheet: { rois, leftVoxels: leftVoxels!, places, ...(vertices && { vertices }) } }),
    };
  } catch (error) {
    const why = reasonOf(error).replace(/^Cannot read the alignment .*?: |; train it again\.?$|\.$/g, "");
    throw new Error(`Cannot read the space ${path}: ${why}; save it again with --save-space.`, {
      cause: error,
    });
  }
}
