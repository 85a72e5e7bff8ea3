/** Embedded scenes as images of a run, drawn when they are read. */
import { renderScene } from "../../fixtures/scenes/mod.ts";
import type { RunImage } from "../pipeline/images.ts";

/** `count` scenes, seeds from `first` on. */
export function sceneImages(count: number, first: number): RunImage[] {
  return Array.from({ length: count }, (_, i) => {
    const seed = first + i;
    const plane = (of: "figure" | "categoryMask") => () => {
      const { width, height, [of]: data } = renderScene(seed);
      return Promise.resolve({ width, height, data });
    };
    return {
      name: `scene ${seed}`,
      load: () => {
        const { width, height, rgb: data } = renderScene(seed);
        return Promise.resolve({ width, height, data });
      },
      mask: plane("figure"),
      classMask: plane("categoryMask"),
    };
  });
}
