// The cortex that turns: inflated or flat, colored by activation, with the regions' outlines and names.
import { drawScene, paintScene, vertexAt } from "../cortex/scene.ts";
import { namesInView, openVoxelScene, VIEWS } from "../cortex/voxel_scene.ts";
import { signed } from "./signed.js";

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
  const scene = openVoxelScene({ rois, voxelRois, surface }), { sides, normals, paints } = scene;
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

  function drawNames(zoom) {
    context.font = `600 ${Math.round(12 * zoom)}px ui-sans-serif, system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 3 * zoom;
    context.strokeStyle = "rgb(255 255 255 / 75%)";
    context.fillStyle = "#16181c";
    const half = (name) => context.measureText(name).width / 2;
    for (const { name, x, y } of namesInView(scene.names, seen, half, 14 * zoom)) {
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
      scene.setValues(activation);
      draw();
    },
  };
}
