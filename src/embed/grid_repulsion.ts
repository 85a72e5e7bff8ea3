/** Repulsive forces of t-SNE in two dimensions, interpolated on a grid: their cost grows with the points, not the pairs. */
import { allocate, type Gpu, readBuffers, release, writeBuffer } from "../gpu/mod.ts";
import { frequencyOrder, type GridAxis, type Roots, rootsOfUnity, transform } from "../linalg/fft.ts";
import { sumSlabs } from "../linalg/matmul.ts";
import type { Forces } from "./exact_repulsion.ts";
import { convolve, gather, layOut, RUN, spread } from "./grid_kernels.ts";

/** Widest step of the grid, in units of the map, where the kernel falls to a half at 1. */
const STEP = 0.4;
/** A smaller map takes a finer grid, by this factor. */
const FINER = 0.8;
/** Nodes in a row; up to 2048, whose grid of 128 MiB every adapter binds. */
const NODES = [64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048];
/** Nodes beyond the points, two at either end. */
const BORDER = 4;

/** The square that all points lie in. */
export interface MapExtent {
  centre: [number, number];
  /** Side, units of the map. */
  span: number;
}

/** The square around n points of 4 coordinates. */
export function extentOf(points: Float32Array): MapExtent {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let at = 0; at < points.length; at += 4) {
    const x = points[at], y = points[at + 1];
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return { centre: [(left + right) / 2, (top + bottom) / 2], span: Math.max(right - left, bottom - top) };
}

/** Forces on a grid, ready for step after step. */
export interface GridRepulsion {
  /**
   * Records the forces of all points and their normaliser.
   *
   * @throws RangeError where the map is too wide
   */
  repel(y: GPUBuffer, extent: MapExtent, room: Forces): Promise<void>;
  /** Gives the GPU memory back. */
  release(): void;
}

interface Grid {
  nodes: number;
  step: number;
  roots: Roots;
  charges: GPUBuffer;
  field: GPUBuffer;
  forces: GPUBuffer;
  kernel: GPUBuffer;
  parts: GPUBuffer;
}

/**
 * Repulsion of n points with one degree of freedom (Linderman et al. 2019): points are spread over a grid, charges convolved
 * with the force of one point by Fourier transforms of twice the width, and forces read between the nodes. Where that paper
 * takes polynomials of three nodes in a box, weights here are quadratic B-splines, and the transformed kernel is divided by
 * the transform of what spreading and reading together do at the nodes (as smooth particle-mesh Ewald: Essmann et al. 1995),
 * so that a step of 0.4 errs less than theirs of a third.
 */
export function openGridRepulsion(gpu: Gpu, n: number): GridRepulsion {
  let grid: Grid | undefined;
  return {
    async repel(y, { centre, span }, room) {
      const { nodes, step } = gridFor(span), parts = 2 * nodes * nodes / RUN;
      if (grid?.nodes !== nodes || grid.step !== step) {
        if (grid) releaseGrid(gpu, grid);
        grid = await openGrid(gpu, nodes, step);
      }
      const { roots, charges, field } = grid, place = { n, nodes, centre, step };
      const { down, across } = axesOf(nodes);
      spread(gpu, y, charges, place);
      layOut(gpu, charges, roots.buffer, field, place);
      transform(gpu, field, roots, down);
      transform(gpu, field, roots, across);
      convolve(gpu, field, grid, grid.parts, { rows: nodes, cols: 2 * nodes, own: n / parts });
      sumSlabs(gpu, grid.parts, room.sums, 64, parts / 64);
      transform(gpu, field, roots, across, true);
      transform(gpu, field, roots, down, true);
      gather(gpu, y, field, roots.buffer, room.forces, place);
    },
    release() {
      if (grid) releaseGrid(gpu, grid);
      grid = undefined;
    },
  };
}

/**
 * The grid that a map of this width takes.
 *
 * @throws RangeError "The map of t-SNE is 900 wide: repulsion is interpolated up to 817; lower the learning rate."
 */
export function gridFor(span: number): { nodes: number; step: number } {
  const nodes = NODES.find((count) => span <= STEP * (count - BORDER));
  if (nodes === undefined) {
    const most = Math.floor(STEP * (NODES.at(-1)! - BORDER));
    throw new RangeError(
      `The map of t-SNE is ${
        span.toPrecision(3)
      } wide: repulsion is interpolated up to ${most}; lower the learning rate.`,
    );
  }
  let step = STEP;
  while (nodes === NODES[0] && span <= FINER * step * (nodes - BORDER) && step > 1e-12) step *= FINER;
  return { nodes, step };
}

function axesOf(nodes: number): { down: GridAxis; across: GridAxis } {
  return {
    down: { length: nodes, lines: nodes, along: 2 * nodes, across: 1 },
    across: { length: 2 * nodes, lines: nodes, along: 1, across: 2 * nodes, half: true },
  };
}

async function openGrid(gpu: Gpu, nodes: number, step: number): Promise<Grid> {
  const size = 2 * nodes * nodes; // vec4: rows y and y + nodes share one
  const roots = rootsOfUnity(gpu, 2 * nodes);
  const charges = allocate(gpu, nodes * nodes * 4, "t-SNE charges");
  const field = allocate(gpu, size * 16, "t-SNE grid"), forces = allocate(gpu, size * 16, "t-SNE forces");
  const kernel = allocate(gpu, size * 8, "t-SNE kernel"),
    parts = allocate(gpu, size / RUN * 16, "t-SNE sums");
  writeBuffer(gpu, charges, new Uint32Array(nodes * nodes));
  const { potential, force } = kernelsOf(nodes, step), filter = filterOf(nodes);
  const spectrum = await transformed(gpu, field, roots, nodes, force);
  writeBuffer(gpu, forces, spectrum.map((value, at) => value * filter[at >> 1]));
  const real = await transformed(gpu, field, roots, nodes, potential);
  writeBuffer(gpu, kernel, filter.map((factor, at) => factor * real[2 * at]));
  return { nodes, step, roots, charges, field, forces, kernel, parts };
}

function releaseGrid(gpu: Gpu, { roots, charges, field, forces, kernel, parts }: Grid): void {
  for (const buffer of [roots.buffer, charges, field, forces, kernel, parts]) release(gpu, buffer);
}

/** Complex values of all nodes of a grid of twice the width, the first step of their transform taken, transformed. */
async function transformed(
  gpu: Gpu,
  field: GPUBuffer,
  roots: Roots,
  nodes: number,
  values: Float32Array,
): Promise<Float32Array> {
  const { down, across } = axesOf(nodes);
  writeBuffer(gpu, field, values);
  transform(gpu, field, roots, { ...down, lines: 2 * nodes });
  transform(gpu, field, roots, { ...across, half: false });
  const [bytes] = await readBuffers(gpu, [{ buffer: field, bytes: values.byteLength }]);
  return new Float32Array(bytes);
}

/**
 * 1 / (1 + d²), and d / (1 + d²)² as a complex number, at distance d = step · (x, y) from a node, on a torus of twice the
 * width: laid out as the grid is, with the first step of the transform taken.
 */
function kernelsOf(nodes: number, step: number): { potential: Float32Array; force: Float32Array } {
  const cols = 2 * nodes,
    potential = new Float32Array(4 * nodes * cols),
    force = new Float32Array(4 * nodes * cols);
  for (let row = 0; row < nodes; row++) {
    const re = Math.cos(Math.PI * row / nodes), im = -Math.sin(Math.PI * row / nodes);
    const near = step * row, far = step * (row - nodes); // rows y and y + nodes
    for (let col = 0; col < cols; col++) {
      const x = step * (col < nodes ? col : col - cols), at = 4 * (row * cols + col);
      const k = 1 / (1 + x * x + near * near), l = 1 / (1 + x * x + far * far);
      potential[at] = k + l;
      potential[at + 2] = (k - l) * re;
      potential[at + 3] = (k - l) * im;
      const sumX = x * (k * k + l * l), sumY = near * k * k + far * l * l;
      const lessX = x * (k * k - l * l), lessY = near * k * k - far * l * l;
      force[at] = sumX;
      force[at + 1] = sumY;
      force[at + 2] = lessX * re - lessY * im;
      force[at + 3] = lessX * im + lessY * re;
    }
  }
  return { potential, force };
}

/**
 * What transformed kernels are multiplied by, a value per complex number of the grid: 1 over the transform of the spline of
 * degree 5 that spreading and reading come to, and 1 over the size of the grid for the inverse.
 */
function filterOf(nodes: number): Float32Array {
  const cols = 2 * nodes, columns = frequencyOrder(cols), rows = frequencyOrder(nodes);
  const factors = Float64Array.from({ length: cols }, (_, k) => {
    const angle = 2 * Math.PI * k / cols;
    return 60 / (33 + 26 * Math.cos(angle) + Math.cos(2 * angle)) / cols;
  });
  const filter = new Float32Array(2 * nodes * cols);
  for (let row = 0; row < nodes; row++) {
    for (let col = 0; col < cols; col++) {
      for (let odd = 0; odd < 2; odd++) {
        filter[2 * (row * cols + col) + odd] = factors[columns[col]] * factors[2 * rows[row] + odd];
      }
    }
  }
  return filter;
}
