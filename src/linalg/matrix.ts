/** Matrices: row-major float32 on the host, and row panels of padded rows on the GPU. */
import {
  allocate,
  type Gpu,
  readBuffers,
  type ReadRange,
  release,
  releaseTexture,
  textureOf,
  writeBuffer,
} from "../gpu/mod.ts";

/** A dense row-major float32 matrix on the host. */
export interface Matrix {
  /** rows × cols values, row by row. */
  data: Float32Array;
  /** Number of rows. */
  rows: number;
  /** Number of columns. */
  cols: number;
}

/**
 * A matrix on the GPU: rows padded with zeros to a multiple of 4 columns, cut into panels of `panelRows` rows so that
 * every panel fits one storage binding.
 */
export interface GpuMatrix {
  readonly rows: number;
  readonly cols: number;
  /** Columns of a stored row, a multiple of 4. */
  readonly stride: number;
  readonly panelRows: number;
  readonly panels: GPUBuffer[];
  /** First row of a view within the panels; 0 for a matrix of its own. */
  readonly offset: number;
  /** What the panels hold as textures, where `keepTexels` has copied it. */
  readonly texels?: readonly GPUTexture[];
  readonly label: string;
}

/** A run of rows inside one panel. */
export interface RowWindow {
  /** First row of the window in the whole matrix. */
  first: number;
  rows: number;
  buffer: GPUBuffer;
  /** First row of the window in its panel. */
  panelRow: number;
  /** The panel as a texture, where the matrix has it. */
  texels?: GPUTexture;
}

/** `n` rounded up to a multiple of `step`. */
export function roundUp(n: number, step: number): number {
  return Math.ceil(n / step) * step;
}

/**
 * Checks a host matrix's shape.
 *
 * @throws TypeError naming `name` when it is no matrix, or its data does not have rows × cols values
 */
export function assertMatrix(x: Matrix, name: string): void {
  const { data, rows, cols } = x ?? {};
  if (!(data instanceof Float32Array)) {
    throw new TypeError(`${name} is not a matrix: expected { data: Float32Array, rows, cols }.`);
  }
  if (!(Number.isInteger(rows) && Number.isInteger(cols) && rows > 0 && cols > 0)) {
    throw new RangeError(`${name} is ${rows} × ${cols}: rows and columns must be positive whole numbers.`);
  }
  if (data.length !== rows * cols) {
    throw new RangeError(`${name} holds ${data.length} values: ${rows} × ${cols} needs ${rows * cols}.`);
  }
}

/** Rows of a panel: as many as one binding holds, in steps that keep partial sums where they would be without panels. */
function rowsPerPanel(gpu: Gpu, rows: number, stride: number, label: string): number {
  const most = Math.floor(gpu.limits.bindingBytes / (4 * stride));
  if (most >= rows) return rows;
  const step = most >= 512 ? 512 : most >= 16 ? 16 : 4;
  if (most < step) {
    throw new RangeError(
      `${label}: a row of ${stride} values does not fit one storage binding of ${gpu.limits.bindingBytes} bytes four times.`,
    );
  }
  return Math.floor(most / step) * step;
}

/** Makes room for a rows × cols matrix on the GPU; its content is undefined. Free it with `releaseMatrix`. */
export function allocateMatrix(gpu: Gpu, rows: number, cols: number, label: string): GpuMatrix {
  const stride = roundUp(cols, 4);
  const panelRows = rowsPerPanel(gpu, rows, stride, label);
  const panels: GPUBuffer[] = [];
  for (let first = 0; first < rows; first += panelRows) {
    panels.push(allocate(gpu, Math.min(panelRows, rows - first) * stride * 4, label));
  }
  return { rows, cols, stride, panelRows, panels, offset: 0, label };
}

/** Gives a matrix's buffers back for reuse. */
export function releaseMatrix(gpu: Gpu, ...matrices: GpuMatrix[]): void {
  for (const matrix of matrices) for (const panel of matrix.panels) release(gpu, panel);
}

/** Rows [first, first + count) of a matrix as a matrix that shares its panels; not to be released. */
export function rowView(matrix: GpuMatrix, first: number, count: number): GpuMatrix {
  return { ...matrix, rows: count, offset: matrix.offset + first };
}

/** The panels that hold rows [first, first + count), in order. */
export function rowWindows(matrix: GpuMatrix, first = 0, count = matrix.rows): RowWindow[] {
  const windows: RowWindow[] = [];
  for (let at = first; at < first + count;) {
    const panel = Math.floor((at + matrix.offset) / matrix.panelRows);
    const panelRow = at + matrix.offset - panel * matrix.panelRows;
    const rows = Math.min(matrix.panelRows - panelRow, first + count - at);
    windows.push({ first: at, rows, buffer: matrix.panels[panel], panelRow, texels: matrix.texels?.[panel] });
    at += rows;
  }
  return windows;
}

/** Rows of a matrix for kernels that read textures: number i of its vec4 is texel `begin` + i. */
export interface RowTexels {
  texture: GPUTexture;
  begin: number;
}

/**
 * Hands on rows of one panel, `stride` values each, as a texture: the one that the matrix has, or a copy that is gone when this
 * returns.
 */
export function withTexels(
  gpu: Gpu,
  { buffer, panelRow, rows, texels }: Omit<RowWindow, "first">,
  { stride, label }: Pick<GpuMatrix, "stride" | "label">,
  use: (texels: RowTexels) => void,
): void {
  const first = panelRow * stride / 4;
  if (texels) return use({ texture: texels, begin: first });
  const texture = textureOf(gpu, buffer, first, rows * stride / 4, label);
  use({ texture, begin: 0 });
  releaseTexture(gpu, texture);
}

/**
 * The matrix with a copy of its panels as textures, for one that is read again and again by kernels that take textures; itself
 * where the variant of the kernels takes none. What is written to its panels later is not seen by them.
 *
 * @param matrix one of its own, no view
 * @returns the matrix; free the copy with `releaseTexels`
 * @throws RangeError when the adapter's textures are too small
 */
export function keepTexels(gpu: Gpu, matrix: GpuMatrix): GpuMatrix {
  if (gpu.variant !== "textures") return matrix;
  const { panels, panelRows, offset, rows, stride, label } = matrix;
  const texels = panels.map((panel, at) => {
    const count = Math.min(panelRows, offset + rows - at * panelRows) * stride / 4;
    return textureOf(gpu, panel, 0, count, label);
  });
  return { ...matrix, texels };
}

/** Gives the textures of matrices back for reuse. */
export function releaseTexels(gpu: Gpu, ...matrices: GpuMatrix[]): void {
  for (const matrix of matrices) for (const texture of matrix.texels ?? []) releaseTexture(gpu, texture);
}

/** Copies a host matrix to the GPU. */
export function uploadMatrix(gpu: Gpu, x: Matrix, label: string): GpuMatrix {
  const matrix = allocateMatrix(gpu, x.rows, x.cols, label);
  for (const { first, rows, buffer } of rowWindows(matrix)) {
    if (matrix.stride === x.cols) {
      writeBuffer(gpu, buffer, x.data.subarray(first * x.cols, (first + rows) * x.cols));
      continue;
    }
    const padded = new Float32Array(rows * matrix.stride);
    for (let r = 0; r < rows; r++) {
      padded.set(x.data.subarray((first + r) * x.cols, (first + r + 1) * x.cols), r * matrix.stride);
    }
    writeBuffer(gpu, buffer, padded);
  }
  return matrix;
}

/** Copies matrices from the GPU, all in one wait. */
export async function downloadMatrices(gpu: Gpu, ...matrices: GpuMatrix[]): Promise<Matrix[]> {
  const ranges: ReadRange[] = matrices.flatMap((matrix) =>
    rowWindows(matrix).map(({ buffer, rows }) => ({ buffer, bytes: rows * matrix.stride * 4 }))
  );
  const parts = await readBuffers(gpu, ranges);
  return matrices.map(({ rows, cols, stride, panels }) => {
    const data = new Float32Array(rows * cols);
    let row = 0;
    for (const part of parts.splice(0, panels.length).map((bytes) => new Float32Array(bytes))) {
      for (let at = 0; at < part.length; at += stride, row++) {
        data.set(part.subarray(at, at + cols), row * cols);
      }
    }
    return { data, rows, cols };
  });
}

/** Copies one matrix from the GPU. */
export async function downloadMatrix(gpu: Gpu, matrix: GpuMatrix): Promise<Matrix> {
  return (await downloadMatrices(gpu, matrix))[0];
}

/** The same as `downloadMatrices`; the buffers are given back. */
export async function downloadAndRelease(gpu: Gpu, matrices: GpuMatrix[]): Promise<Matrix[]> {
  try {
    return await downloadMatrices(gpu, ...matrices);
  } finally {
    releaseMatrix(gpu, ...matrices);
  }
}
