/** Half the height of a label, in pixels. */
const HALF = 7;

/**
 * Finds the place along a rule where its label is farthest from the lines, above it or below.
 *
 * @param label the rule's y, the label's width and the chart's height, in pixels
 * @param lines y of each line's steps, which are evenly spread over the width, in pixels
 * @param width of the chart in pixels
 * @returns where the label starts, and how far its middle lies below the rule
 */
export function freePlace(
  label: { y: number; width: number; height: number },
  lines: readonly (readonly number[])[],
  width: number,
): { x: number; dy: number } {
  const count = Math.max(2, ...lines.map((line) => line.length)), step = width / (count - 1);
  const places = Array.from({ length: count }, (_, i) => 4 + i * step)
    .flatMap((x) => [-8, 10].map((dy) => ({ x, dy })))
    .filter(({ x, dy }) =>
      x + label.width <= width && label.y + dy > HALF && label.y + dy < label.height - HALF
    );
  if (places.length === 0) return { x: 4, dy: -8 };
  const roomAt = ({ x, dy }: { x: number; dy: number }) => {
    const middle = label.y + dy;
    const from = Math.floor(x / step), to = Math.ceil((x + label.width) / step);
    return Math.min(
      ...lines.map((line) => gapTo(middle, line.slice(from, to + 1))),
    );
  };
  // The first of those that have room enough, else the roomiest.
  const rooms = places.map(roomAt);
  const enough = rooms.findIndex((room) => room > 2 * HALF);
  return places[enough >= 0 ? enough : rooms.indexOf(Math.max(...rooms))];
}

/** Distance from a height to what a line covers between its steps. */
function gapTo(y: number, covered: readonly number[]): number {
  const low = Math.min(...covered), high = Math.max(...covered);
  return y < low ? low - y : y > high ? y - high : 0;
}
