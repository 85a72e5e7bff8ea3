/** Thrown by an experiment that these data do not allow: the others can still be run. */
export class UnsuitableData extends Error {
  override name = "UnsuitableData";
}
