/** From voxels to the vertices that they are drawn on; runs in pages and in Deno. */

/**
 * Means of the voxels of each vertex.
 *
 * @param values one a voxel; NaN does not count
 * @param vertices of the voxels
 * @param count of vertices
 * @returns one a vertex, NaN where there is no voxel
 */
export function vertexMeans(
  values: ArrayLike<number>,
  vertices: ArrayLike<number>,
  count: number,
): Float32Array {
  const sums = new Float64Array(count), voxels = new Uint32Array(count);
  for (let voxel = 0; voxel < vertices.length; voxel++) {
    if (Number.isNaN(values[voxel])) continue;
    sums[vertices[voxel]] += values[voxel];
    voxels[vertices[voxel]]++;
  }
  return Float32Array.from(sums, (sum, vertex) => voxels[vertex] > 0 ? sum / voxels[vertex] : NaN);
}

/**
 * The region of most voxels of each vertex, of as many the first one.
 *
 * @param regions one a voxel, −1 for none
 * @param vertices of the voxels
 * @param count of vertices
 * @returns one a vertex, −1 where there is no voxel or most are of none
 */
export function vertexRegions(
  regions: ArrayLike<number>,
  vertices: ArrayLike<number>,
  count: number,
): Int16Array {
  const votes = Array.from({ length: count }, () => new Map<number, number>());
  for (let voxel = 0; voxel < vertices.length; voxel++) {
    const own = votes[vertices[voxel]], region = regions[voxel];
    own.set(region, (own.get(region) ?? 0) + 1);
  }
  return Int16Array.from(votes, (own) => {
    let best = -1, most = 0;
    for (const [region, voxels] of [...own].sort(([a], [b]) => a - b)) {
      if (voxels > most) [best, most] = [region, voxels];
    }
    return best;
  });
}
