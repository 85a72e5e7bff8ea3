/**
 * exp, log and the length of a vector of the same bits wherever JavaScript runs: of additions, multiplications, divisions and roots
 * alone, whose rounding is prescribed. That of `Math.exp`, `Math.log` and `Math.hypot` is not: of the first two, Deno's V8 and
 * Chromium's differ in last bits.
 */

/** ln 2 in two parts, the first short enough that its product with an exponent is exact. */
const LN2_HIGH = 6.93147180369123816490e-1, LN2_LOW = 1.90821492927058770002e-10;
/** e^x below which 0 is given, and above which infinity is. */
const LEAST = -708, MOST = 709;
/** 1 / k!, of Taylor's series; the last odd power of the logarithm's. */
const INVERSE_FACTORIALS = Float64Array.from({ length: 14 }, (_, k) => 1 / factorial(k)), LAST_POWER = 21;

const bits = new DataView(new ArrayBuffer(8));

function factorial(k: number): number {
  return k < 2 ? 1 : k * factorial(k - 1);
}

/** 2^exponent, for exponents of normal numbers. */
function powerOfTwo(exponent: number): number {
  bits.setUint32(0, (exponent + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/**
 * e^x, with a relative error of at most 4e-16.
 *
 * @param x any number; below −708 the answer is 0
 */
export function portableExp(x: number): number {
  if (!(x >= LEAST)) return Number.isNaN(x) ? NaN : 0;
  if (x > MOST) return Infinity;
  const exponent = Math.round(x / (LN2_HIGH + LN2_LOW));
  const rest = x - exponent * LN2_HIGH - exponent * LN2_LOW;
  let sum = 0;
  for (let k = INVERSE_FACTORIALS.length - 1; k >= 0; k--) sum = INVERSE_FACTORIALS[k] + rest * sum;
  return sum * powerOfTwo(exponent);
}

/**
 * ln x, with an error of at most 4e-16 of the larger of 1 and its size.
 *
 * @param x a normal positive number
 */
export function portableLog(x: number): number {
  bits.setFloat64(0, x);
  let exponent = (bits.getUint32(0) >>> 20) - 1023, part = x / powerOfTwo(exponent);
  if (part > Math.SQRT2) [exponent, part] = [exponent + 1, part / 2];
  const ratio = (part - 1) / (part + 1), square = ratio * ratio;
  let sum = 0;
  for (let power = LAST_POWER; power > 0; power -= 2) sum = 1 / power + square * sum;
  return exponent * LN2_HIGH + (exponent * LN2_LOW + 2 * ratio * sum);
}

/**
 * √Σ x², of any number of values: those of a matrix are too many for the arguments of `Math.hypot`. Values of all sizes are
 * scaled by the largest, and rounding of the sum is made up for (Kahan 1965), as V8 does.
 *
 * @returns infinite or NaN where a value is; 0 of none
 */
export function lengthOf(values: ArrayLike<number>): number {
  let largest = 0, isNan = false;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (size > largest) largest = size;
    else if (size !== size) isNan = true;
  }
  if (largest === Infinity) return Infinity;
  if (isNan) return NaN;
  if (largest === 0) return 0;
  let sum = 0, lost = 0;
  for (let i = 0; i < values.length; i++) {
    const share = values[i] / largest, part = share * share - lost, next = sum + part;
    lost = next - sum - part;
    sum = next;
  }
  return Math.sqrt(sum) * largest;
}
