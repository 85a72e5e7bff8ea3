/** Shows a text beside the pointer, or null for none. */
export function showTip(text, { clientX, clientY }) {
  const tip = document.getElementById("tip");
  tip.classList.toggle("open", text !== null);
  if (text === null) return;
  tip.textContent = text;
  const { width, height } = tip.getBoundingClientRect();
  const right = document.documentElement.clientWidth - width - 8;
  tip.style.left = `${Math.max(8, Math.min(clientX - width / 2, right))}px`;
  tip.style.top = `${clientY + 20 + height < innerHeight ? clientY + 20 : clientY - height - 12}px`;
}
