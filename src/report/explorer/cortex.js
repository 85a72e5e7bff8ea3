// The cortex colored by activation, and the regions' means beside it.
import { GRADIENT } from "../cortex/surface_colors.ts";
import { signed } from "./signed.js";
import { openSurface } from "./surface.js";

/** @param content of the page */
export function openCortex(content) {
  const { rois, voxelRois } = content;
  const rows = [...document.querySelectorAll("#regions tbody tr")];
  if (content.surface) {
    document.querySelector("#brain ~ .legend span:nth-child(2)").style.background = GRADIENT;
  }
  const picture = content.surface ? openSurface(content) : openDots(content);
  return {
    /** Shows one activation a voxel, `limit` at the ends of the scale. @returns the means of the regions */
    paint(activation, scale, limit) {
      picture.paint(activation, scale, limit);
      const means = regionMeans(activation, voxelRois, rois.length);
      for (const [roi, row] of rows.entries()) {
        row.querySelector(".number").textContent = signed(means[roi]);
        const bar = row.querySelector(".bar span"), share = Math.min(1, Math.abs(means[roi]) / limit);
        bar.style.width = `${50 * share}%`;
        bar.style.left = `${means[roi] < 0 ? 50 - 50 * share : 50}%`;
        bar.className = means[roi] < 0 ? "negative" : "positive";
      }
      return means;
    },
  };
}

/** One dot a voxel, where their places on fsaverage are not known. */
function openDots({ rois, voxelRois }) {
  const dots = [...document.querySelectorAll("#cortex circle")], reading = document.getElementById("voxel");
  let shown = new Float32Array(dots.length);
  for (const [voxel, dot] of dots.entries()) dot.dataset.voxel = voxel;
  document.getElementById("cortex").addEventListener("pointerover", ({ target }) => {
    const { voxel } = target.dataset;
    reading.textContent = voxel === undefined
      ? "Point at a voxel to read its value."
      : `Voxel ${Number(voxel) + 1}, ${rois[voxelRois[voxel]]}: ${signed(shown[voxel])}`;
  });
  return {
    paint(activation, scale, limit) {
      shown = activation;
      for (const [voxel, dot] of dots.entries()) {
        dot.setAttribute("fill", `rgb(${scale(activation[voxel] / limit)})`);
      }
    },
  };
}

function regionMeans(activation, voxelRois, count) {
  const sums = new Array(count).fill(0), sizes = new Array(count).fill(0);
  for (const [voxel, value] of activation.entries()) {
    sums[voxelRois[voxel]] += value;
    sizes[voxelRois[voxel]]++;
  }
  return sums.map((sum, roi) => sum / (sizes[roi] || 1));
}
