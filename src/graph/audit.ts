/** How wrong an approximation of eigenvectors is. */
import { assertKnown } from "../linalg/check_options.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { columnBasis, principalAngles } from "../linalg/principal_angles.ts";
import type { NormalizedCut } from "./normalized_cut.ts";

/** The exact answer, as `normalizedCut` gives it. */
export type ExactAnswer = Pick<
  NormalizedCut,
  "eigenvectors" | "eigenvalues" | "residuals" | "eigengap" | "degrees"
>;

/** An approximation of the same eigenvectors. */
export interface Approximation {
  /** n × C, of any lengths and angles to each other. */
  eigenvectors: Matrix;
  /** C values: the vectors' `rayleighQuotients`, or those that a method states. */
  eigenvalues: ArrayLike<number>;
}

/** Settings of `auditApproximation`. */
export interface AuditOptions {
  /** Angle in degrees up to which a subspace is trusted; default 10, at which 3 % of a vector's square lies outside. */
  limit?: number;
}

/** The distance of an approximation from the exact answer; angles in degrees. */
export interface Audit {
  /** The C principal angles between the spans of all columns, ascending. */
  angles: Float64Array;
  /** Largest principal angle between the spans of the first c columns, c = 1 … C. */
  leadingAngles: Float64Array;
  /** |ρ_c − λ_c| / λ_c. */
  eigenvalueErrors: Float64Array;
  /** λ_c − λ_{c+1}, c = 1 … C; infinite where the graph has no further eigenvector. */
  eigengaps: Float64Array;
  /** Up to which angle the exact first c are known themselves: asin(‖residuals‖ / gap) (Davis & Kahan 1970), 90 at most. */
  exactAngles: Float64Array;
  /** The largest c whose leading angle and exact angle are both within the limit; 0 when there is none. */
  trusted: number;
  /** The limit, in degrees. */
  limit: number;
  /** How well the graph hangs together. */
  connectivity: Connectivity;
}

/** Every affinity of this kernel is at least e⁻², so the graph is always connected: what remains is how weakly. */
export interface Connectivity {
  /** Always: no affinity is 0. */
  connected: true;
  /** e⁻², the bound on every affinity. */
  smallestAffinity: number;
  /** The smallest degree. */
  smallestDegree: number;
  /** The node that has it. */
  weakestNode: number;
  /** 1 + (n − 1) e⁻², the degree of a node that is opposite to all others. */
  possibleDegree: number;
}

const DEGREES = 180 / Math.PI;

/**
 * Compares approximate eigenvectors with the exact ones: principal angles, eigenvalue errors, connectivity, eigengaps, and
 * how many components can be trusted.
 *
 * Subspaces are compared, not single vectors: where eigenvalues (nearly) coincide, each vector is arbitrary and only
 * their span means something. So c counts as trusted only where the gap after λ_c is wide enough for the exact answer to
 * be known to the same limit; a smaller c without a gap may lie below it.
 *
 * @param exact n × C eigenvectors with eigenvalues, residuals, eigengap and degrees
 * @param approximation n × C vectors and their eigenvalues, in the same order
 * @returns angles in degrees (between the spans of the first c, for every c), errors of the eigenvalues, and how many are trusted
 * @throws RangeError when the two differ in shape
 *
 * Cost: n C³ operations, in float64 on the host.
 *
 * @example
 * ```ts
 * import { auditApproximation, closeGpu, normalizedCut, openGpu, rayleighQuotients } from "../../mod.ts";
 * const gpu = await openGpu();
 * const x = { data: Float32Array.from({ length: 120 }, (_, i) => Math.sin(i * i)), rows: 40, cols: 3 };
 * const exact = await normalizedCut(gpu, x, { components: 3 });
 * const guess = { ...exact.eigenvectors, data: exact.eigenvectors.data.map((v, i) => v + 1e-3 * Math.cos(i)) };
 * const audit = auditApproximation(exact, {
 *   eigenvectors: guess,
 *   eigenvalues: await rayleighQuotients(gpu, x, guess),
 * });
 * if (audit.trusted !== 3) throw new Error(`the largest angle is ${audit.angles[2]} degrees`);
 * closeGpu(gpu);
 * ```
 */
export function auditApproximation(
  exact: ExactAnswer,
  approximation: Approximation,
  options: AuditOptions = {},
): Audit {
  assertKnown("auditApproximation", options, { limit: true });
  const { limit = 10 } = options;
  const { rows, cols } = exact.eigenvectors, other = approximation.eigenvectors;
  if (other.rows !== rows || other.cols !== cols || approximation.eigenvalues.length !== cols) {
    throw new RangeError(
      `The approximation is ${other.rows} × ${other.cols} with ${approximation.eigenvalues.length} eigenvalues, the ` +
        `exact answer ${rows} × ${cols}: audit the same nodes and components.`,
    );
  }
  if (!(limit > 0 && limit < 90)) {
    throw new RangeError(`limit is ${limit}: an angle between 0 and 90 degrees.`);
  }
  const a = columnBasis(exact.eigenvectors), b = columnBasis(other);
  const counts = Array.from({ length: cols }, (_, c) => c + 1);
  const leadingAngles = Float64Array.from(counts, (c) => principalAngles(a, b, c)[c - 1] * DEGREES);
  const eigengaps = gapsOf(exact);
  const exactAngles = anglesOfExact(exact, eigengaps);
  const trustworthy = (c: number) => leadingAngles[c - 1] <= limit && exactAngles[c - 1] <= limit;
  return {
    angles: principalAngles(a, b, cols).map((angle) => angle * DEGREES),
    leadingAngles,
    eigenvalueErrors: Float64Array.from(
      exact.eigenvalues,
      (value, c) => Math.abs(approximation.eigenvalues[c] - value) / Math.abs(value),
    ),
    eigengaps,
    exactAngles,
    trusted: counts.findLast(trustworthy) ?? 0,
    limit,
    connectivity: connectivity(exact.degrees),
  };
}

function gapsOf({ eigenvalues, eigengap }: ExactAnswer): Float64Array {
  const last = eigenvalues.length - 1;
  return eigenvalues.map((value, c) => c < last ? value - eigenvalues[c + 1] : eigengap ?? Infinity);
}

/** asin(‖residuals of the first c‖ / gap), 90 where the bound says nothing. */
function anglesOfExact({ residuals }: ExactAnswer, gaps: Float64Array): Float64Array {
  let squares = 0;
  return gaps.map((gap, c) => {
    squares += residuals[c] ** 2;
    return gap > 0 ? Math.asin(Math.min(1, Math.sqrt(squares) / gap)) * DEGREES : 90;
  });
}

function connectivity(degrees: ArrayLike<number>): Connectivity {
  let weakestNode = 0;
  for (let i = 1; i < degrees.length; i++) if (degrees[i] < degrees[weakestNode]) weakestNode = i;
  const smallestAffinity = Math.exp(-2);
  return {
    connected: true,
    smallestAffinity,
    smallestDegree: degrees[weakestNode],
    weakestNode,
    possibleDegree: 1 + (degrees.length - 1) * smallestAffinity,
  };
}
