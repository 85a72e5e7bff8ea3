// A map with all that belongs to it, as large as the window allows.

/**
 * Works the button of a map's figure: the figure moves into a dialog, where clicks, keys and controls work as before, and back.
 *
 * @param map the element in the figure that takes clicks
 */
export function openLarge(map) {
  const figure = map.parentElement, button = figure.querySelector("button.larger");
  const dialog = document.createElement("dialog"), place = document.createElement("div");
  const isPicker = map.hasAttribute("tabindex");
  const name = (word) => {
    button.textContent = word;
    button.setAttribute("aria-label", `${word}: ${button.value}`);
  };
  dialog.className = "large-panel";
  dialog.setAttribute("aria-label", button.value);

  button.addEventListener("click", () => {
    if (dialog.open) return dialog.close();
    place.style.height = `${figure.offsetHeight}px`; // what is below stays where it is
    figure.replaceWith(place);
    place.append(dialog);
    dialog.append(figure);
    if (!isPicker) map.tabIndex = 0;
    name("Smaller");
    dialog.showModal();
    map.focus();
  });
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    place.replaceWith(figure);
    if (!isPicker) map.removeAttribute("tabindex");
    name("Larger");
    button.focus();
  });
}
