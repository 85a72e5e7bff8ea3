/** HDF5 that says when something cannot be read: h5wasm otherwise prints it and hands on whatever the memory holds. */
import * as hdf5 from "h5wasm";

/** Makes HDF5 ready, its errors thrown. */
export async function readyHdf5(): Promise<void> {
  const module = await hdf5.ready;
  if (module.activate_throwing_error_handler() < 0) throw new Error("HDF5 does not throw its errors.");
}

/**
 * Why HDF5 could not do something, and the cure: a filter that is missing by its name, else the innermost cause.
 *
 * @param error as thrown
 * @returns as '(the filter "lzf" is missing): save it with gzip'
 */
export function hdf5Reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const filter = /required filter '([^']*)'/.exec(message)?.[1];
  if (filter !== undefined) return `(the filter "${filter}" is missing): save it with gzip`;
  const causes = [...message.matchAll(/^\s*#\d+: \S+ line \d+ in \S+\(\): (.*)$/gm)];
  return `(${causes.at(-1)?.[1] ?? message.split("\n")[0]}): copy it again`;
}
