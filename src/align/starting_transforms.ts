/** Where the transforms of channel alignment start. */
import { dot } from "../linalg/host_matrix.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { fillRandom, type Random } from "../linalg/random.ts";
import type { AlignSlot } from "./model.ts";

const SMALL = 0.1;

/**
 * Random W_l for every slot, one below the other: rows orthonormal (columns, where a slot has more channels than D′), so
 * that cosines are kept, divided by √slots, so that their sum over slots has the scale of one, and small, so that what is
 * learned soon outweighs them.
 *
 * @param width D′
 * @returns Σ D_l × D′
 */
export function startingTransforms(slots: AlignSlot[], width: number, random: Random): Matrix {
  const rows = slots.reduce((sum, slot) => sum + slot.width, 0);
  const data = new Float32Array(rows * width);
  let first = 0;
  for (const slot of slots) {
    const tall = slot.width > width;
    const [count, length] = tall ? [width, slot.width] : [slot.width, width];
    const basis = orthonormalRows(count, length, random);
    for (let i = 0; i < slot.width; i++) {
      for (let c = 0; c < width; c++) {
        data[(first + i) * width + c] = SMALL * (tall ? basis[c][i] : basis[i][c]) / Math.sqrt(slots.length);
      }
    }
    first += slot.width;
  }
  return { data, rows, cols: width };
}

/** Random orthonormal rows by modified Gram–Schmidt, taken twice. */
function orthonormalRows(count: number, length: number, random: Random): Float64Array[] {
  const rows: Float64Array[] = [];
  while (rows.length < count) {
    const row = Float64Array.from(fillRandom(new Float32Array(length), random));
    for (let pass = 0; pass < 2; pass++) {
      for (const other of rows) {
        const along = dot(row, other);
        for (let k = 0; k < length; k++) row[k] -= along * other[k];
      }
    }
    const norm = Math.sqrt(dot(row, row));
    rows.push(row.map((value) => value / norm));
  }
  return rows;
}
