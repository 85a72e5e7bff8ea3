/** The images of a run: rendered scenes or a folder of photographs, with figure-ground masks where there are any. */
import { basename } from "node:path";
import { renderScene } from "../../fixtures/scenes/mod.ts";
import { listImages, readImage, type RgbImage } from "../data/image.ts";
import type { Mask } from "../data/resize.ts";

/** One image of a run. */
export interface RunImage {
  name: string;
  load(): Promise<RgbImage>;
  /** 0 ground, 1 figure. */
  mask?(): Promise<Mask>;
}

/** `count` embedded scenes, seeds from `first` on. */
export function sceneImages(count: number, first: number): RunImage[] {
  return Array.from({ length: count }, (_, i) => {
    const seed = first + i;
    const render = () => renderScene(seed);
    return {
      name: `scene ${seed}`,
      load: () => {
        const { width, height, rgb } = render();
        return Promise.resolve({ width, height, data: rgb });
      },
      mask: () => {
        const { width, height, figure } = render();
        return Promise.resolve({ width, height, data: figure });
      },
    };
  });
}

/**
 * The photographs of a folder, in the order of their names.
 *
 * @param dir JPEG and PNG files
 * @param masksDir for NAME.jpg a NAME.png, brighter than half where the figure is
 * @param limit take the first so many
 * @throws Error when the folder holds none, or a photograph has no mask
 */
export async function folderImages(dir: string, masksDir?: string, limit = Infinity): Promise<RunImage[]> {
  const paths = (await listImages(dir)).slice(0, limit);
  return paths.map((path) => {
    const name = basename(path);
    const image: RunImage = { name, load: () => readImage(path) };
    if (masksDir) image.mask = () => readMask(`${masksDir}/${name.replace(/\.[^.]*$/, "")}.png`);
    return image;
  });
}

async function readMask(path: string): Promise<Mask> {
  const { width, height, data } = await readImage(path);
  return {
    width,
    height,
    data: Uint8Array.from({ length: width * height }, (_, i) => data[3 * i] > 127 ? 1 : 0),
  };
}
