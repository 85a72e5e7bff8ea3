/** Options of functions, checked: scripts run without a check of types, and a misspelt choice would count as another one. */
export * from "../gpu/known_options.ts"; // as a whole: pages link it

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

/**
 * Checks a seed: others would be cut to whole numbers, NaN to 0, and two seeds give the same numbers.
 *
 * @throws RangeError "seed is 1.5: give a whole number."
 */
export function assertSeed(seed: number): void {
  assertNumber("seed", seed, "a whole number", Number.isSafeInteger);
}

/**
 * Options under their current names: a former name counts where the current one is absent, and a line says what it is called now.
 *
 * @param call the function that takes them
 * @param names current names by former ones
 */
export function currentNames<T extends object>(call: string, options: T, names: Record<string, string>): T {
  const current: Record<string, unknown> = Object.fromEntries(Object.entries(options));
  for (const [former, name] of Object.entries(names)) {
    if (current[former] === undefined) continue;
    console.warn(`${call}(): the option ${former} is now called ${name}.`);
    current[name] ??= current[former];
    delete current[former];
  }
  return current as T;
}

/** A choice under its current name: a former one goes on working, and a line says what it is called now. */
export function currentChoice<T extends string>(name: string, value: T, names: Record<string, T>): T {
  if (!Object.hasOwn(names, value)) return value;
  console.warn(`${name} ${JSON.stringify(value)} is now called ${JSON.stringify(names[value])}.`);
  return names[value];
}
