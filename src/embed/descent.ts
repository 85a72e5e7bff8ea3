/** Steps of t-SNE's gradient descent: attraction over the stored neighbours, and momentum. */
import code from "../../shaders/tsne_step.wgsl" with { type: "text" };
import {
  allocate,
  dispatch,
  type Gpu,
  type Kernel,
  readingTextures,
  release,
  releaseTexture,
  textureOf,
  writeBuffer,
} from "../gpu/mod.ts";
import { bytesOfPoints, type Forces } from "./exact_repulsion.ts";
import type { Joint } from "./joint_probabilities.ts";

const STEP: Kernel = { label: "tsne_step", code };
const STEP_TEXTURES: Kernel = { label: "tsne_step_textures", code: readingTextures(code, "y", "joint") };
const WORKGROUP = 8;

/** Pairs of a point: the software adapter silently ends an invocation's loops after 65,535 rounds, of two pairs each. */
export const MAX_PAIRS = 120_000;

/** Of the average attraction, the least that a point's steps are measured by: softer points would leave the map. */
export const SOFTEST = 0.3;

/** Factors of one step of the descent. */
export interface StepSettings {
  momentum: number;
  /** Of a point of average attraction. */
  rate: number;
  exaggeration: number;
  /** ν of the t distribution. */
  freedom: number;
}

/** Points under way: where they are, where they go next, how they moved, and what pulls them. */
export interface Descent {
  y: GPUBuffer;
  next: GPUBuffer;
  motion: GPUBuffer;
  panels: JointPanel[];
}

/** Joint probabilities of consecutive points, within one binding. */
interface JointPanel {
  first: number;
  rows: number;
  rowStart: GPUBuffer;
  /** (j, p, j′, p′): a texture where kernels read those. */
  joint: GPUBuffer | GPUTexture;
}

/** Puts points at rest at their start, and their joint probabilities beside them. */
export function openDescent(gpu: Gpu, joint: Joint, start: Float32Array): Descent {
  const n = joint.rowStart.length - 1;
  const descent = {
    y: allocate(gpu, bytesOfPoints(n), "t-SNE points"),
    next: allocate(gpu, bytesOfPoints(n), "t-SNE points"),
    motion: allocate(gpu, bytesOfPoints(n), "t-SNE motion"),
    panels: panelsOf(gpu, joint),
  };
  rest(gpu, descent, start);
  return descent;
}

/** Puts all points at rest. */
export function rest(gpu: Gpu, { y, motion }: Descent, points: Float32Array): void {
  writeBuffer(gpu, y, points);
  writeBuffer(gpu, motion, new Float32Array(points.length));
}

/** Gives the GPU memory back. */
export function closeDescent(gpu: Gpu, { y, next, motion, panels }: Descent): void {
  for (const buffer of [y, next, motion]) release(gpu, buffer);
  for (const { rowStart, joint } of panels) {
    release(gpu, rowStart);
    if ("createView" in joint) releaseTexture(gpu, joint);
    else release(gpu, joint);
  }
}

/** Moves every point by one step. */
export function step(
  gpu: Gpu,
  descent: Descent,
  { forces, sums }: Forces,
  n: number,
  settings: StepSettings,
): void {
  const { y, next, motion, panels } = descent, { freedom, momentum, rate, exaggeration } = settings;
  const texels = gpu.variant === "textures" ? textureOf(gpu, y, 0, n, "t-SNE points") : undefined;
  for (const { first, rows, rowStart, joint } of panels) {
    dispatch(gpu, texels ? STEP_TEXTURES : STEP, {
      buffers: [texels ?? y, forces, sums, rowStart, joint, motion, next],
      params: { rows, first, momentum, rate, exaggeration, points: n, softest: SOFTEST },
      overrides: { WORKGROUP, FREEDOM: freedom },
      workgroups: [Math.ceil(rows / WORKGROUP)],
      sizes: `${rows} of ${n} points`,
    });
  }
  if (texels) releaseTexture(gpu, texels);
  descent.y = next;
  descent.next = y;
}

/**
 * Joint probabilities two to a vec4, cut where a binding is full.
 *
 * @throws RangeError "Point 0 of t-SNE is among the nearest of 150000 others, more than 120000: leave equal points out."
 */
function panelsOf(gpu: Gpu, { rowStart, cols, p }: Joint): JointPanel[] {
  const n = rowStart.length - 1, most = Math.floor(gpu.limits.bindingBytes / 16), panels: JointPanel[] = [];
  const crowded = rowStart.findIndex((at, i) =>
    i < n && rowStart[i + 1] - at > Math.min(MAX_PAIRS, 2 * most)
  );
  if (crowded >= 0) {
    throw new RangeError(
      `Point ${crowded} of t-SNE is among the nearest of ${
        rowStart[crowded + 1] - rowStart[crowded]
      } others, more than ${Math.min(MAX_PAIRS, 2 * most)}: leave equal points out.`,
    );
  }
  const quadsOf = (i: number) => Math.ceil((rowStart[i + 1] - rowStart[i]) / 2);
  for (let first = 0, end = 0; first < n; first = end) {
    let count = 0;
    while (end < n && count + quadsOf(end) <= most) count += quadsOf(end++);
    const rows = end - first, starts = new Uint32Array(rows + 1), quads = new Float32Array(4 * count);
    for (let i = 0; i < rows; i++) {
      const from = rowStart[first + i], pairs = rowStart[first + i + 1] - from;
      starts[i + 1] = starts[i] + quadsOf(first + i);
      for (let at = 0; at < pairs; at++) {
        quads[4 * starts[i] + 2 * at] = cols[from + at];
        quads[4 * starts[i] + 2 * at + 1] = p[from + at];
      }
    }
    const starting = allocate(gpu, 4 * starts.length, "joint probabilities");
    writeBuffer(gpu, starting, starts);
    panels.push({ first, rows, rowStart: starting, joint: uploaded(gpu, quads) });
  }
  return panels;
}

function uploaded(gpu: Gpu, quads: Float32Array): GPUBuffer | GPUTexture {
  const buffer = allocate(gpu, Math.max(16, quads.byteLength), "joint probabilities");
  writeBuffer(gpu, buffer, quads);
  if (gpu.variant !== "textures") return buffer;
  const texture = textureOf(gpu, buffer, 0, quads.length / 4, "joint probabilities");
  release(gpu, buffer);
  return texture;
}
