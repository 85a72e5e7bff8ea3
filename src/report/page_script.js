// Shows exact numbers beside the pointer or the focus; enlarges pictures; arrow keys walk through a color grid.
const tip = document.body.appendChild(document.createElement("div"));
tip.className = "tip";
tip.setAttribute("aria-hidden", "true");

const labelled = (target) => target.closest?.("figure svg .role-mark [aria-label]");

let current;

function open(mark) {
  current = mark;
  tip.textContent = mark.getAttribute("aria-label");
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

const dialog = document.body.appendChild(document.createElement("dialog"));
dialog.className = "picture";
/** The button of the enlarged picture. */
let enlarged;

/** A picture with its photograph, at least 320 px wide. */
function enlarge(button) {
  enlarged = button;
  const own = button.querySelector("img"), photo = button.closest(".row")?.querySelector("img");
  const pictures = document.createElement("div"), caption = document.createElement("p");
  for (const { src, alt } of photo && photo !== own ? [photo, own] : [own]) {
    pictures.append(Object.assign(new Image(), { src, alt }));
  }
  caption.textContent = own.alt;
  dialog.classList.toggle("smooth", button.closest(".color-grid")?.querySelector("input").checked ?? false);
  dialog.setAttribute("aria-label", own.alt);
  dialog.replaceChildren(pictures, caption);
  if (!dialog.open) dialog.showModal();
}

const IN_DRAWING = "figure svg image";
for (const picture of document.querySelectorAll(IN_DRAWING)) {
  const name = picture.querySelector("title")?.textContent ?? picture.closest("[role=group]")?.ariaLabel ??
    "";
  for (const [key, value] of [["tabindex", "0"], ["role", "button"], ["aria-label", `Enlarge: ${name}`]]) {
    picture.setAttribute(key, value);
  }
}

/** A picture of a drawing, at least 320 px wide, with what is drawn over it. */
function enlargeDrawn(picture) {
  enlarged = picture;
  const root = picture.ownerSVGElement, own = picture.getBoundingClientRect();
  const all = root.getBoundingClientRect(), from = root.viewBox.baseVal, zoom = from.width / all.width;
  const place = [from.x + zoom * (own.left - all.left), from.y + zoom * (own.top - all.top)];
  const copy = root.cloneNode(true), frame = document.createElement("div");
  copy.setAttribute("viewBox", [...place, zoom * own.width, zoom * own.height].join(" "));
  for (const size of ["width", "height", "style"]) copy.removeAttribute(size);
  for (const other of copy.querySelectorAll("[tabindex]")) other.removeAttribute("tabindex");
  frame.append(copy);
  const choice = document.createElement("label"), isCrisp = picture.style.imageRendering === "pixelated";
  choice.append(Object.assign(document.createElement("input"), { type: "checkbox" }), " smooth");
  dialog.setAttribute("aria-label", picture.getAttribute("aria-label"));
  dialog.replaceChildren(frame, ...isCrisp ? [choice] : []);
  dialog.showModal();
}

document.addEventListener("click", ({ target, clientX, clientY }) => {
  const button = target.closest?.(".enlarge");
  const drawn = !dialog.open && target.closest?.("figure svg") &&
    document.elementsFromPoint(clientX, clientY).find((element) => element.matches(IN_DRAWING));
  if (button) enlarge(button);
  else if (drawn) enlargeDrawn(drawn);
  else if (target.closest?.(".picture") && !target.closest("label")) dialog.close();
});
dialog.addEventListener("close", () => enlarged.focus());

/** The button one step left, right, above or below. */
function besideButton(button, [down, right]) {
  const row = button.closest(".row"), rows = [...row.closest(".color-grid").querySelectorAll(".row")];
  const at = [...row.querySelectorAll(".enlarge")].indexOf(button);
  return rows[rows.indexOf(row) + down]?.querySelectorAll(".enlarge")[at + right];
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") close();
  if (["Enter", " "].includes(event.key) && !dialog.open && event.target.matches?.(IN_DRAWING)) {
    event.preventDefault();
    enlargeDrawn(event.target);
    return;
  }
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const button = dialog.open ? enlarged : event.target.closest?.(".enlarge");
  const next = step && button?.closest(".row") && besideButton(button, step);
  if (!next) return;
  event.preventDefault();
  button.tabIndex = -1;
  next.tabIndex = 0;
  next.closest("details:not([open])")?.setAttribute("open", "");
  if (dialog.open) enlarge(next);
  else next.focus();
});

/** Links into what is folded open it. */
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = target?.closest("details:not([open])");
  if (!folded) return;
  folded.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", unfold);
unfold();
