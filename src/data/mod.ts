/**
 * Files of other programs, and data sets: arrays and tables, images and masks, subjects and models.
 *
 * ```ts ignore
 * import { readMatrix } from "@alignedcut/alignedcut/data";
 * const features = await readMatrix("features.npy");
 * ```
 *
 * @module
 */
export { type NpyArray, type NpyData, type NpyHeader, readNpy, writeNpy } from "./formats/npy.ts";
export { readNpyRows } from "./formats/npy_rows.ts";
export { readMatrix } from "./formats/number_array.ts";
export { type MatlabArray, readMatlab } from "./formats/matlab5.ts";
export { type Embedding, type EmbeddingOptions, readEmbedding } from "./formats/read_embedding.ts";
export { type TableColumn, type TableColumns, writeTable } from "./formats/table_file.ts";
export { listImages, readImage } from "./images/image.ts";
export { type Mask, type RgbImage } from "./images/picture.ts";
export { encodePalettePng, readPalettePng } from "./images/palette_png.ts";
export { openAlgonauts } from "./datasets/algonauts.ts";
export { type AlgonautsSplit } from "./datasets/algonauts_paths.ts";
export { type NsdOptions, type OpenedNsd, openNsd } from "./datasets/nsd.ts";
export { type Hemisphere, HEMISPHERES, type Subject, type SubjectSplits } from "./datasets/subject.ts";
export { openVoc, type Voc } from "./datasets/voc.ts";
export { type ImagenetSegmentation, openImagenetSegmentation } from "./datasets/imagenet_segmentation.ts";
export { type Kriegeskorte92, readKriegeskorte92 } from "./datasets/kriegeskorte92.ts";
export { type Object2vec, readObject2vec } from "./datasets/object2vec.ts";
