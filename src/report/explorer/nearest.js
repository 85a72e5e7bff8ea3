// The strip of the most similar pixels of other images.
import { placeMarker } from "./marker.js";

/** Images in the strip: as many are 160 px wide beside each other on a wide page. */
export const COUNT = 6;

/**
 * The most similar patch of every image but one, the most similar image first.
 *
 * @param content of the page
 * @param {ArrayLike<number>} similarity one a node
 * @param {number} except the image left out
 * @returns {{ image: number, slot: number, token: number, value: number }[]}
 */
export function nearestPixels({ images, slots, tokens }, similarity, except) {
  const best = images.map((_, image) => ({ image, slot: 0, token: 1, value: -Infinity }));
  for (const slot of slots.keys()) {
    for (const image of images.keys()) {
      const first = (slot * images.length + image) * tokens;
      for (let token = 1; token < tokens; token++) {
        const value = similarity[first + token];
        if (value > best[image].value) best[image] = { image, slot, token, value };
      }
    }
  }
  return best.filter(({ image }) => image !== except).sort((a, b) => b.value - a.value);
}

/** Shows the first of them as buttons; `pick` is called with the one that is chosen. */
export function showNearest(list, nearest, { photos, grid, nameOf, pick }) {
  list.replaceChildren(
    ...nearest.slice(0, COUNT).map((node) => {
      const item = document.createElement("li"), button = document.createElement("button");
      const picture = document.createElement("span"), image = document.createElement("img");
      const marker = document.createElement("span"), text = document.createElement("span");
      button.type = "button";
      picture.className = "photo";
      picture.style.aspectRatio = `${grid.cols} / ${grid.rows}`;
      image.src = photos[node.image];
      image.alt = "";
      marker.className = "marker";
      placeMarker(marker, node.token, grid);
      text.textContent = `cosine ${node.value.toFixed(2)}: ${nameOf(node)}`;
      picture.append(image, marker);
      button.append(picture, text);
      button.addEventListener("click", () => pick(node));
      item.append(button);
      return item;
    }),
  );
}
