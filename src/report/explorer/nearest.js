// The strip of the most similar pixels of other images.
import { placeMarker } from "./marker.js";

/** Images in the strip. */
const COUNT = 8;

/**
 * The most similar patch of every image but one, the most similar image first.
 *
 * @returns [{ image, slot, token, value }]
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
      picture.className = "picture";
      picture.style.aspectRatio = `${grid.cols} / ${grid.rows}`;
      image.src = photos[node.image];
      image.alt = "";
      marker.className = "marker";
      placeMarker(marker, node.token, grid);
      text.textContent = `${node.value.toFixed(2)}: ${nameOf(node)}`;
      picture.append(image, marker);
      button.append(picture, text);
      button.addEventListener("click", () => pick(node));
      item.append(button);
      return item;
    }),
  );
}
