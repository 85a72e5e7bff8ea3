/** Kriegeskorte et al. 2008: 92 pictures, and how differently human and monkey inferior temporal cortex respond to them. */
import { findArray, readNumbers } from "../formats/number_array.ts";
import { isThere } from "../files/plain_file.ts";
import { report } from "../files/skipped.ts";
import { otherOrder } from "./image_order.ts";
import { listImages } from "../images/image.ts";

/** What a folder of it holds. */
export interface Kriegeskorte92 {
  /** Paths of the pictures, in the order of the dissimilarities. */
  images: string[];
  /** Dissimilarities 1 − r of every pair of pictures in human IT: pairs (0, 1), (0, 2) … (1, 2) … */
  human: Float64Array;
  /** The same in monkey IT. */
  monkey: Float64Array;
  /** Human IT of each subject, mean over sessions; absent where the folder beside it is. */
  subjects?: Float64Array[];
}

/** Beside the folder: each subject's own dissimilarities. */
const MORE = "_more/rdm_hIT_subjects_sessions.npy";
/** Largest difference between the subjects' mean and their averaged matrix, both rounded to float32. */
const SAME_MEAN = 1e-5;

/**
 * Reads the folder.
 *
 * @param dir holds images/001.png …, rdm_hIT.npy and rdm_mIT.npy; beside it may lie kriegeskorte92_more, which holds
 *   rdm_hIT_subjects_sessions.npy (subjects × sessions × pairs)
 * @throws Error one sentence that names the file, what was found and what was expected
 * @throws Error "The mean over subjects in …_more/… differs from rdm_hIT.npy by 0.2: …"
 */
export async function readKriegeskorte92(dir: string): Promise<Kriegeskorte92> {
  const images = await listImages(`${dir}/images`),
    order = otherOrder(images, `the dissimilarities of ${dir}`);
  if (order) report(order);
  const pairs = images.length * (images.length - 1) / 2;
  const read = async (name: string) => Float64Array.from((await readNumbers(`${dir}/${name}`, [pairs])).data);
  const human = await read("rdm_hIT.npy"), monkey = await read("rdm_mIT.npy");
  const more = `${dir.replace(/\/+$/, "")}${MORE}`;
  if (!await isThere(await findArray(more))) return { images, human, monkey };
  const { data, shape: [count, sessions] } = await readNumbers(more, [null, null, pairs]);
  const subjects = Array.from({ length: count }, (_, subject) =>
    human.map((_, pair) => {
      let sum = 0;
      for (let session = 0; session < sessions; session++) {
        sum += data[(subject * sessions + session) * pairs + pair];
      }
      return sum / sessions;
    }));
  const apart = human.reduce((largest, value, pair) => {
    const mean = subjects.reduce((sum, subject) => sum + subject[pair] / count, 0);
    return Math.max(largest, Math.abs(mean - value));
  }, 0);
  if (apart > SAME_MEAN) {
    throw new Error(
      `The mean over subjects in ${more} differs from ${dir}/rdm_hIT.npy by ${
        apart.toPrecision(2)
      }: they are of other pictures or in another order, so copy both data sets again.`,
    );
  }
  return { images, human, monkey, subjects };
}
