/** A small fault as a person makes it: one text of a file put in place of another. */
export interface Mutant {
  /** The file that is changed. */
  file: string;
  /** Occurs exactly once in it. */
  text: string;
  /** Comes in its place. */
  replacement: string;
  /** What is wrong then. */
  breaks: string;
  /** Files under `tests` that should notice. */
  tests: readonly string[];
}
