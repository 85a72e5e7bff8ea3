/** Kriegeskorte et al. 2008: 92 pictures, and how differently human and monkey inferior temporal cortex respond to them. */
import { readNumbers } from "../formats/number_array.ts";
import { listImages } from "../images/image.ts";

/** What a folder of it holds. */
export interface Kriegeskorte92 {
  /** Paths of the pictures, in the order of the dissimilarities. */
  images: string[];
  /** Dissimilarities 1 − r of every pair of pictures in human IT: pairs (0, 1), (0, 2) … (1, 2) … */
  human: Float64Array;
  /** The same in monkey IT. */
  monkey: Float64Array;
}

/**
 * Reads the folder.
 *
 * @param dir holds images/001.png …, rdm_hIT.npy and rdm_mIT.npy
 * @throws Error one sentence that names the file, what was found and what was expected
 */
export async function readKriegeskorte92(dir: string): Promise<Kriegeskorte92> {
  const images = await listImages(`${dir}/images`);
  const pairs = images.length * (images.length - 1) / 2;
  const read = async (name: string) => Float64Array.from((await readNumbers(`${dir}/${name}`, [pairs])).data);
  return { images, human: await read("rdm_hIT.npy"), monkey: await read("rdm_mIT.npy") };
}
