/** Options of functions, checked: scripts run without a check of types, and a misspelt choice would count as another one. */

/**
 * Checks a choice.
 *
 * @throws RangeError 'metric is "l2": give "cosine" or "euclidean".'
 */
export function assertChoice<T extends string | number>(name: string, value: T, choices: readonly T[]): void {
  if (choices.includes(value)) return;
  const all = choices.map((choice) => JSON.stringify(choice));
  throw new RangeError(
    `${name} is ${JSON.stringify(value)}: give ${all.slice(0, -1).join(", ")} or ${all.at(-1)}.`,
  );
}

/**
 * Checks a number.
 *
 * @param about what it must be, as "a whole number, 0 or more"
 * @throws RangeError "iterations is -5: give a whole number, 0 or more."
 */
export function assertNumber(
  name: string,
  value: number,
  about: string,
  isRight: (value: number) => boolean,
): void {
  if (typeof value === "number" && Number.isFinite(value) && isRight(value)) return;
  throw new RangeError(`${name} is ${value}: give ${about}.`);
}

/** Whole numbers from `least` on, for `assertNumber`. */
export function assertWhole(name: string, value: number, least: number): void {
  assertNumber(
    name,
    value,
    `a whole number, ${least} or more`,
    (own) => Number.isInteger(own) && own >= least,
  );
}
