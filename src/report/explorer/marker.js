/** Puts a marker on a patch of a map. */
export function placeMarker(marker, token, { rows, cols }) {
  marker.style.left = `${100 * ((token - 1) % cols) / cols}%`;
  marker.style.top = `${100 * Math.floor((token - 1) / cols) / rows}%`;
  marker.style.width = `${100 / cols}%`;
  marker.style.height = `${100 / rows}%`;
}
