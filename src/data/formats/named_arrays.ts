/** Arrays with names in one file: which of them is an embedding. */
import { parseNpy, parseNpyHeader, parseNpyText } from "./npy.ts";
import { inside, listNpz } from "./npz.ts";
import { readZipMember } from "../files/zip.ts";

/** Arrays in a sentence. */
const MAX_SHOWN = 6;

/** One array of a file. */
export interface NamedArray {
  name: string;
  shape: number[];
  /** What the format calls its values. */
  type: string;
  isText: boolean;
  /** Its numbers, in C order. */
  values(): ArrayLike<number | bigint>;
  text?(): string[];
}

/** The matrix of a file, with the names of its rows where they are there. */
export interface FoundMatrix {
  matrix: NamedArray;
  names?: NamedArray;
  /** The others, by name and type. */
  leftOut: string[];
}

/**
 * Takes the only array of numbers with two axes, and the only one of text with one entry a row.
 *
 * @param arrays of one file
 * @param path names the file in errors
 * @throws Error 'a.npz holds the matrices "x" (5 × 3), "y" (5 × 4): save one of them alone.'
 */
export function findMatrix(arrays: readonly NamedArray[], path: string): FoundMatrix {
  const shown = ({ name, shape, type }: NamedArray) =>
    `"${name}" (${[...shape, type].join(" × ").replace(/ × (?=[^×]*$)/, ", ")})`;
  const found = arrays.filter(({ shape, isText }) => shape.length === 2 && !isText);
  if (found.length !== 1) {
    const some = found.length > 0 ? found : arrays, more = some.length - MAX_SHOWN;
    const all = some.slice(0, MAX_SHOWN).map(shown).join(", ") + (more > 0 ? ` and ${more} more` : "");
    throw new Error(
      found.length > 0
        ? `${path} holds the matrices ${all}: save one of them alone.`
        : `${path} holds ${all || "nothing"}, expected one array of things × dimensions.`,
    );
  }
  const [matrix] = found,
    texts = arrays.filter(({ shape, isText }) =>
      isText && shape.length === 1 && shape[0] === matrix.shape[0]
    );
  const names = texts.length === 1 ? texts[0] : undefined;
  return { matrix, names, leftOut: arrays.filter((array) => array !== matrix && array !== names).map(shown) };
}

/** The arrays of a .npz file. @throws Error as `listNpz` */
export async function npzArrays(path: string): Promise<NamedArray[]> {
  const arrays: NamedArray[] = [];
  for (const member of await listNpz(path)) {
    const bytes = await readZipMember(path, member), name = inside(path, member);
    const { descr, shape } = parseNpyHeader(bytes, name), isText = /^[<>=|]?[US]\d+$/.test(descr);
    arrays.push({
      name: member.name,
      shape,
      type: descr,
      isText,
      values: () => parseNpy(bytes, name).data as ArrayLike<number | bigint>,
      ...(isText && { text: () => parseNpyText(bytes, name) }),
    });
  }
  return arrays;
}
