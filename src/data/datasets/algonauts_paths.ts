/** Where the files of a subject of Algonauts 2023 are. */
import type { Hemisphere } from "./subject.ts";

/** The folder of a split's images. */
export function imageFolder(dir: string, split: AlgonautsSplit): string {
  return `${dir}/${split}_split/${split}_images`;
}

/** Folder of the responses of a split. */
export function responsesFolder(dir: string, split: AlgonautsSplit): string {
  return `${dir}/${split}_split/${split}_fmri`;
}

/** File of the responses of a split. */
export function responsesPath(dir: string, hemisphere: Hemisphere, split: AlgonautsSplit): string {
  return `${responsesFolder(dir, split)}/${hemisphere}_${split}_fmri.npy`;
}

/** File of the noise ceilings. */
export function ceilingPath(dir: string, hemisphere: Hemisphere): string {
  return `${dir}/test_split/noise_ceiling/${hemisphere}_noise_ceiling.npy`;
}

/** File of the voxels' places. */
export function placesPath(dir: string, hemisphere: Hemisphere): string {
  return `${dir}/roi_masks/${hemisphere}.voxel_places.npy`;
}

/** File of the voxels' vertices. */
export function verticesPath(dir: string, hemisphere: Hemisphere): string {
  return `${dir}/roi_masks/${hemisphere}.voxel_vertices.npy`;
}

/** Mask of all vertices of fsaverage. */
export function maskOfVerticesPath(dir: string, hemisphere: Hemisphere): string {
  return `${dir}/roi_masks/${hemisphere}.all-vertices_fsaverage_space.npy`;
}

/** Mask of a class of regions. */
export function maskPath(dir: string, hemisphere: Hemisphere, roiClass: string): string {
  return `${dir}/roi_masks/${hemisphere}.${roiClass}_challenge_space.npy`;
}

/** Names of the regions of a class. */
export function mappingPath(dir: string, roiClass: string): string {
  return `${dir}/roi_masks/mapping_${roiClass}.npy`;
}

/** The part of a subject's images to open; the release keeps the responses to `test` to itself. */
export type AlgonautsSplit = "training" | "test";
