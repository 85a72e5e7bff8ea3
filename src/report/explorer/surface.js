// The cortex that turns: inflated or flat, colored by activation, with the regions' outlines and names.
import { drawScene, paintScene, vertexAt, vertexNormals } from "../cortex/scene.ts";
import { unpackSurface } from "../cortex/packed_surface.ts";
import { vertexMeans, vertexRegions } from "../cortex/vertex_values.ts";
import { signed } from "./signed.js";

/** By the buttons' values. */
const VIEWS = {
  behind: { isFlat: false, yaw: 0, pitch: -32, open: -16 },
  below: { isFlat: false, yaw: 0, pitch: -90, open: 0 },
  outer: { isFlat: false, yaw: 0, pitch: -8, open: 90 },
  inner: { isFlat: false, yaw: 0, pitch: -8, open: -90 },
  flat: { isFlat: true, yaw: 0, pitch: 0, open: 0 },
};
/** Degrees of a key, and of a pixel of the pointer's way. */
const KEY = 10, POINTER = 0.5;
/** Pixels of the canvas for one of the page while it turns, and in rest. */
const MOVING = 1, RESTING = Math.min(2, Math.max(1.5, devicePixelRatio));
const SIDES = ["left hemisphere", "right hemisphere"];

/** @param content of the page */
export function openSurface({ rois, voxelRois, surface }) {
  const canvas = document.querySelector("#cortex canvas"), context = canvas.getContext("2d");
  const buttons = [...document.querySelectorAll("#cortex button")],
    reading = document.getElementById("voxel");
  const sides = unpackSurface(surface),
    normals = sides.map((side) => vertexNormals(side.inflated, side.faces));
  const count = sides[0].sulc.length;
  const ofSide = (values, side) =>
    side === 0 ? values.slice(0, surface.leftVoxels) : values.slice(surface.leftVoxels);
  const named = [...voxelRois].map((roi) => rois[roi] === "" ? -1 : roi);
  const paints = sides.map((side, i) => ({
    sulc: side.sulc,
    regions: vertexRegions(ofSide(named, i), side.shown, count),
    values: new Float32Array(count).fill(NaN),
  }));
  const labels = sides.flatMap((side, i) =>
    rois.flatMap((name, roi) => {
      const own = side.shown.filter((vertex) => name !== "" && paints[i].regions[vertex] === roi);
      return own.length > 0 ? [{ name, side: i, vertex: middleOf(side.inflated, own) }] : [];
    })
  );
  let view = VIEWS.behind, seen = null, waiting = false, moving = false, rest = 0, limit = 1;

  function draw() {
    waiting = false;
    const zoom = moving ? MOVING : RESTING, box = canvas.getBoundingClientRect();
    const width = Math.max(1, Math.round(zoom * box.width)),
      height = Math.max(1, Math.round(zoom * box.height));
    [canvas.width, canvas.height] = [width, height];
    seen = drawScene(sides, normals, view, width, height);
    const pixels = paintScene(seen, paints, limit);
    context.putImageData(new ImageData(pixels, width, height), 0, 0);
    drawNames(zoom);
    for (const button of buttons) button.setAttribute("aria-pressed", String(VIEWS[button.value] === view));
  }

  /** Names of the regions whose middle is seen; one that would lie on another is left out. */
  function drawNames(zoom) {
    const { raster, places } = seen, taken = [];
    context.font = `600 ${Math.round(12 * zoom)}px ui-sans-serif, system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 3 * zoom;
    context.strokeStyle = "rgb(255 255 255 / 75%)";
    context.fillStyle = "#16181c";
    for (const { name, side, vertex } of labels) {
      const [x, y, near] = places[side].subarray(3 * vertex, 3 * vertex + 3);
      const pixel = Math.floor(y) * raster.width + Math.floor(x);
      if (!(raster.face[pixel] >= 0 && raster.depth[pixel] < near + 3)) continue;
      const half = context.measureText(name).width / 2, line = 7 * zoom;
      if (
        taken.some((other) => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < 2 * line)
      ) continue;
      taken.push({ x, y, half });
      context.strokeText(name, x, y);
      context.fillText(name, x, y);
    }
  }

  function redraw() {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  }

  /** Turns the cortex; it is drawn sharp once it rests. */
  function turn(yaw, pitch) {
    if (view.isFlat) return;
    view = {
      ...view,
      yaw: (view.yaw + yaw) % 360,
      pitch: Math.max(-90, Math.min(90, view.pitch + pitch)),
    };
    moving = true;
    clearTimeout(rest);
    rest = setTimeout(() => {
      moving = false;
      redraw();
    }, 150);
    redraw();
  }

  for (const button of buttons) {
    button.addEventListener("click", () => {
      view = VIEWS[button.value];
      redraw();
    });
  }
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    turn(KEY * step[0], KEY * step[1]);
  });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button === 0) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons & 1) turn(-POINTER * event.movementX, POINTER * event.movementY);
    else read(event);
  });

  function read({ clientX, clientY }) {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor((clientX - box.left) / box.width * canvas.width);
    const y = Math.floor((clientY - box.top) / box.height * canvas.height);
    const at = seen && x >= 0 && x < canvas.width ? vertexAt(seen, y * canvas.width + x) : undefined;
    const value = at && paints[at.side].values[at.vertex];
    if (value === undefined || Number.isNaN(value)) {
      reading.textContent = "Point at a colored place to read its value; drag the cortex to turn it.";
      return;
    }
    const voxels = sides[at.side].shown.filter((vertex) => vertex === at.vertex).length;
    const region = rois[paints[at.side].regions[at.vertex]] ?? "no region";
    reading.textContent = `${region}, ${SIDES[at.side]}: ${signed(value)}, ${
      voxels === 1 ? "one voxel" : `mean of ${voxels} voxels`
    }`;
  }

  new ResizeObserver(redraw).observe(canvas);

  return {
    paint(activation, _, ends) {
      limit = ends;
      for (const [i, side] of sides.entries()) {
        paints[i].values = vertexMeans(ofSide(activation, i), side.shown, count);
      }
      draw();
    },
  };
}

/** Of some vertices the one nearest to their middle. */
function middleOf(places, vertices) {
  const middle = [0, 1, 2].map((axis) =>
    vertices.reduce((sum, vertex) => sum + places[3 * vertex + axis], 0) / vertices.length
  );
  const far = (vertex) =>
    middle.reduce((sum, value, axis) => sum + (places[3 * vertex + axis] - value) ** 2, 0);
  return vertices.reduce((best, vertex) => far(vertex) < far(best) ? vertex : best);
}
