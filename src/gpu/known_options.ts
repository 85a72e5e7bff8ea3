/** Names of options, checked: scripts run without a check of types, and a misspelt option would be left out. */

/**
 * Checks that all options are known.
 *
 * @param call the function that takes them
 * @param names all that it has
 * @throws RangeError 'kmeans() has no option "restart": it has clusters, restarts, seed.'
 */
export function assertKnown<T extends object>(call: string, options: T, names: Record<keyof T, true>): void {
  const other = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (other === undefined) return;
  throw new RangeError(`${call}() has no option "${other}": it has ${Object.keys(names).join(", ")}.`);
}
