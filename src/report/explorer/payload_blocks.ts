import type { Html } from "../html.ts";
import { dataBlock, jsonBlock } from "../script_page.ts";
import { JOINT_COLORING } from "./body.ts";
import type { ExplorerContent } from "./content.ts";
import type { HalfMatrix } from "./half.ts";

/** Data blocks, which no browser runs; `<` cannot close them early. */
export function payloadBlocks(content: ExplorerContent): Html[] {
  const { images, eigenvectors, aligned, beta, colors, segments, voxelRois, sheet: _, surface, ...small } =
    content;
  const shape = ({ rows, cols, scale }: HalfMatrix) => ({ rows, cols, scale });
  const json = jsonBlock({
    ...small,
    coloring: JOINT_COLORING,
    surface: surface && { leftVoxels: surface.leftVoxels, leftCut: surface.leftCut },
    images: images.map(({ name }) => ({ name })),
    voxelRois: [...voxelRois],
    eigenvectors: shape(eigenvectors),
    aligned: shape(aligned),
    beta: shape(beta),
  });
  return [
    json,
    dataBlock("colors", colors),
    dataBlock("segments", segments),
    dataBlock("eigenvectors", eigenvectors.bits),
    dataBlock("aligned", aligned.bits),
    dataBlock("beta", beta.bits),
    ...(surface
      ? (["vertices", "inflated", "flat", "sulc", "cut"] as const).map((name) =>
        dataBlock(name, surface[name])
      )
      : []),
  ];
}
