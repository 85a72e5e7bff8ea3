import { assertEquals } from "@std/assert";
import { voxelTable } from "../../../src/experiments/brain_score/voxel_table.ts";

const score = (...voxels: number[]) => ({ r: 0, rois: {}, voxels: Float32Array.from(voxels) });

Deno.test("voxelTable() says of every voxel where it is, its regions, and the mean of its scores over seeds", () => {
  const subject = {
    voxels: { lh: 2, rh: 1, total: 3 },
    vertices: Uint32Array.of(0, 2, 0),
    rois: new Map([["V1v", Uint32Array.of(0, 2)], ["V1", Uint32Array.of(0, 2)], ["FFA", Uint32Array.of()]]),
    places: Float32Array.of(1, 2, 3, 4, 5, 6),
  };
  const conditions = [{ lambda: 0.1, eigen: [], scores: [score(0.25, 0, 1), score(0.75, 0, -1)] }];
  const others = { ridge: score(0.5, 0.125, 0) };
  const noiseCeiling = Float32Array.of(0.5, 0, 0.25);
  const table = voxelTable(subject, { conditions, others, noiseCeiling });
  assertEquals(table, {
    hemisphere: ["lh", "lh", "rh"],
    vertex: Int32Array.of(0, 2, 0),
    x: Float32Array.of(1, 3, 5),
    y: Float32Array.of(2, 4, 6),
    rois: ["V1v;V1", "", "V1v;V1"],
    noise_ceiling: noiseCeiling,
    r_lambda_0_1: Float32Array.of(0.5, 0, 0),
    r_ridge: Float32Array.of(0.5, 0.125, 0),
  });
  const { voxels, vertices, rois } = subject;
  assertEquals(
    Object.keys(voxelTable({ voxels, vertices, rois }, { conditions, others })).join(),
    "hemisphere,vertex,rois,r_lambda_0_1,r_ridge",
  );
});
