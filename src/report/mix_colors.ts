/** CSS's `color-mix(in oklab, …)` for programs that do not know it. */

// deno-fmt-ignore
const TO_LMS = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
// deno-fmt-ignore
const FROM_LMS = [
  [4.0767416621, -3.3077115913, 0.2309699292],
  [-1.2684380046, 2.6097574011, -0.3413193965],
  [-0.0041960863, -0.7034186147, 1.7076147010],
];

/**
 * Mixes two colors in Oklab (Ottosson 2020), as browsers do. The mix is linear in Oklab, which is itself linear in the
 * cube roots of the cone responses, so that those are mixed.
 *
 * @param first `#rrggbb`
 * @param share of the first, from 0 to 1
 * @param second `#rrggbb`
 * @returns `#rrggbb`
 */
export function mixInOklab(first: string, share: number, second: string): string {
  const a = coneRoots(first), b = coneRoots(second);
  const cones = a.map((value, i) => (share * value + (1 - share) * b[i]) ** 3);
  const rgb = apply(FROM_LMS, cones).map((linear) => {
    const value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.min(1, Math.max(0, value))).toString(16).padStart(2, "0");
  });
  return `#${rgb.join("")}`;
}

function coneRoots(color: string): number[] {
  const linear = [1, 3, 5].map((at) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return apply(TO_LMS, linear).map(Math.cbrt);
}

function apply(matrix: number[][], vector: number[]): number[] {
  return matrix.map((row) => row.reduce((sum, weight, i) => sum + weight * vector[i], 0));
}
