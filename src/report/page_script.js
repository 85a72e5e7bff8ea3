// Shows exact numbers and enlarged maps beside the pointer or the focus; arrow keys walk through a color grid.
const tip = document.body.appendChild(document.createElement("div"));
tip.className = "tip";
tip.setAttribute("aria-hidden", "true");

const labelled = (target) => target.closest?.("figure svg .role-mark [aria-label], .color-grid td img");

function fill(mark) {
  const isMap = mark.matches("img");
  const pictures = document.createElement("div");
  if (isMap) {
    const photo = mark.closest("tr").querySelector("th img");
    for (const [source, kind] of [[photo, ""], [mark, "map"]]) {
      const picture = pictures.appendChild(new Image());
      picture.src = source.src;
      picture.alt = "";
      picture.className = kind;
    }
  }
  tip.replaceChildren(...(isMap ? [pictures] : []), isMap ? mark.alt : mark.getAttribute("aria-label"));
}

let current;

function open(mark) {
  current = mark;
  fill(mark);
  tip.classList.add("open");
  place();
}

function place() {
  const at = current.getBoundingClientRect(), size = tip.getBoundingClientRect();
  const below = at.bottom + 8 + size.height < innerHeight;
  const left = at.left + at.width / 2 - size.width / 2;
  tip.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - size.width - 8))}px`;
  tip.style.top = `${below ? at.bottom + 8 : Math.max(8, at.top - size.height - 8)}px`;
}

function close() {
  current = undefined;
  tip.classList.remove("open");
}

const show = (target) => {
  const mark = labelled(target);
  if (mark) open(mark);
  else close();
};

// A page that scrolls under a resting pointer also sends pointerover; only a moved one counts.
let pointer = "";
document.addEventListener("pointerover", ({ target, clientX, clientY }) => {
  const at = `${clientX} ${clientY}`;
  if (at !== pointer) show(target);
  pointer = at;
});
document.addEventListener("focusin", ({ target }) => show(target));
document.addEventListener("focusout", close);
addEventListener("scroll", () => current && place(), true);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const cell = event.target.closest?.(".color-grid td");
  if (!step || !cell) return;
  const row = cell.parentElement;
  const rows = [...row.parentElement.rows];
  const next = rows[rows.indexOf(row) + step[0]]?.cells[cell.cellIndex + step[1]]?.querySelector(
    "img[tabindex]",
  );
  if (!next) return;
  event.preventDefault();
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});
