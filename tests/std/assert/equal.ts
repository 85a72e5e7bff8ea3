import { isDeepStrictEqual } from "node:util";

/**
 * Deep equality as in the registry's package: classes, keys and values agree; NaN equals NaN and 0 equals −0;
 * typed arrays and arrays go by their elements; a key that is undefined is not an absent key.
 * @returns true when the two values cannot be told apart by these rules.
 */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

function compare(a: unknown, b: unknown, open: Map<object, object>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (open.get(a) === b) return true;
  if (isTypedArray(a) && isTypedArray(b)) return sameElements(a, b);
  if (!Array.isArray(a) && Object.prototype.toString.call(a) !== "[object Object]") {
    return isDeepStrictEqual(a, b);
  }
  open.set(a, b);
  const keys = Reflect.ownKeys(a);
  return keys.length === Reflect.ownKeys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && compare(Reflect.get(a, key), Reflect.get(b, key), open));
}

type NumberArray = ArrayLike<number | bigint>;

function isTypedArray(value: unknown): value is NumberArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function sameElements(a: NumberArray, b: NumberArray): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  }
  return true;
}
