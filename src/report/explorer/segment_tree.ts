/** Segments of all nodes, of which each number up to a largest is a cut of one tree; runs in pages and in Deno. */
import { takeRows } from "../../linalg/host_matrix.ts";
import { clusterTree } from "../../graph/ward.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { unitRows } from "./click_response.ts";
import type { ExplorerContent } from "./content.ts";
import { spread } from "./spread.ts";

/** Segments at most, and nodes whose tree they are cut from. */
const MAX_SEGMENTS = 64, TREE_NODES = 512;

/**
 * Ward's tree of evenly spread nodes' unit rows; every other node is with the most similar of those.
 *
 * @param eigenvectors n × C, none of the rows zero
 * @returns segments of all nodes where there are most, and how they join to fewer
 */
export function segmentTree(eigenvectors: Matrix): Pick<ExplorerContent, "segments" | "segmentParents"> {
  const unit = unitRows(eigenvectors), { rows, cols } = unit;
  const nodes = Uint32Array.from(spread(TREE_NODES, rows)), landmarks = takeRows(unit, nodes);
  const { labels, parents } = clusterTree(landmarks, MAX_SEGMENTS), segments = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    let most = -Infinity;
    for (let k = 0; k < nodes.length; k++) {
      let cosine = 0;
      for (let c = 0; c < cols; c++) cosine += unit.data[i * cols + c] * landmarks.data[k * cols + c];
      if (cosine > most) [most, segments[i]] = [cosine, labels[k]];
    }
  }
  return { segments, segmentParents: parents };
}
