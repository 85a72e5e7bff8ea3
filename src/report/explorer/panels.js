// The maps of the image that is looked at: painted, marked, pointed at, and saved.
import { openLarge } from "./large_panel.js";
import { placeMarker } from "./marker.js";
import { drawMap } from "./palette.js";

/** Pixels of a cell of a map with borders, and of a saved map's longer side. */
const BORDERED = 24, SAVED = 1024;

/**
 * @param grid patches of an image
 * @param maps by name, functions that give a map for `drawMap`, or null for an empty one
 * @param events `point(token)` while the pointer is on a patch and with null after it, `press(token)`,
 * `key(event)` of a key pressed on a map
 */
export function openPanels(grid, maps, { point, press, key }) {
  const panels = Object.fromEntries(
    [...document.querySelectorAll(".map")].map((panel) => [panel.dataset.map, panel]),
  );
  const over = document.getElementById("over"), opacity = document.getElementById("opacity");
  const photo = panels.photo.querySelector("img"), overlay = panels.photo.querySelector("canvas");
  const markers = Object.values(panels).map((panel) => {
    const [pointed, clicked] = ["pointed", "clicked"].map((name) => {
      const marker = document.createElement("span");
      marker.className = `marker ${name}`;
      marker.hidden = true;
      panel.append(marker);
      return marker;
    });
    return { panel, pointed, clicked };
  });

  for (const panel of Object.values(panels)) {
    const { style } = panel.parentElement; // here, as a page's policy may allow no styles in its markup
    style.setProperty("--columns", grid.cols);
    style.setProperty("--rows", grid.rows);
    const tokenAt = ({ clientX, clientY }) => {
      const box = panel.getBoundingClientRect();
      const cell = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
      return 1 + cell((clientY - box.top) / box.height, grid.rows) * grid.cols +
        cell((clientX - box.left) / box.width, grid.cols);
    };
    panel.addEventListener("click", (event) => press(tokenAt(event)));
    panel.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") point(tokenAt(event));
    });
    panel.addEventListener("pointerleave", () => point(null));
    panel.addEventListener("keydown", key);
    openLarge(panel);
  }

  function draw(canvas, name, zoom) {
    const map = maps[name]();
    if (map) drawMap(canvas, grid, map, zoom ?? (map.label ? BORDERED : 1));
    else canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  }

  function paint(...names) {
    for (const name of names) draw(panels[name].querySelector("canvas"), name);
    if (names.includes(over.value)) draw(overlay, over.value);
    overlay.style.opacity = Number(opacity.value) / 100;
  }

  /** A map, or the photograph and what lies over it, as a PNG file. */
  function save(name, file) {
    const zoom = SAVED / Math.max(grid.rows, grid.cols), canvas = document.createElement("canvas");
    if (name === "photo") {
      const above = document.createElement("canvas"), context = canvas.getContext("2d");
      draw(above, over.value, zoom);
      [canvas.width, canvas.height] = [above.width, above.height];
      context.drawImage(photo, 0, 0, canvas.width, canvas.height);
      context.globalAlpha = Number(opacity.value) / 100;
      context.drawImage(above, 0, 0);
    } else draw(canvas, name, zoom);
    const link = document.createElement("a");
    link.href = canvas.toDataURL("image/png");
    link.download = file;
    link.click();
  }

  return {
    /** The picker of the pixel. */
    picker: panels.photo,
    paint,
    save,
    show(source) {
      photo.src = source;
    },
    caption(name, text) {
      panels[name].parentElement.querySelector("figcaption").textContent = text;
    },
    /** Markers of the clicked patch, or null, dashed if it is of another layer; and of the one pointed at, or null. */
    mark(token, isElsewhere, pointedAt) {
      for (const { clicked, pointed } of markers) {
        clicked.hidden = token === null;
        clicked.classList.toggle("elsewhere", isElsewhere);
        if (token !== null) placeMarker(clicked, token, grid);
        pointed.hidden = pointedAt === null;
        if (pointedAt !== null) placeMarker(pointed, pointedAt, grid);
      }
    },
    /** Marks of figure and ground: [token, kind]. */
    markCut(marks) {
      for (const { panel } of markers) {
        for (const mark of panel.querySelectorAll(".cut-mark")) mark.remove();
        for (const [token, kind] of marks) {
          const mark = document.createElement("span");
          mark.className = `cut-mark ${kind}`;
          mark.textContent = kind === "figure" ? "F" : "G";
          placeMarker(mark, token, grid);
          panel.append(mark);
        }
      }
    },
  };
}
