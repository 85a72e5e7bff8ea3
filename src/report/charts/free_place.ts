/** Half the height of a label, and its least distance to a line, in pixels. */
const HALF = 7, CLEAR = 3;

/**
 * Finds a place along a rule where its label lies on no line, above it or below.
 *
 * @param label the rule's y, the label's width and the chart's height, in pixels
 * @param lines what each line covers at each of its steps, as y in pixels: its point, and the ends of its interval
 * @param width of the chart in pixels
 * @param padding of the first step from the left and of the last from the right, in steps
 * @returns where the label starts, and how far its middle lies below the rule; undefined where every place is on a line
 */
export function freePlace(
  label: { y: number; width: number; height: number },
  lines: readonly (readonly (readonly number[])[])[],
  width: number,
  padding: number,
): { x: number; dy: number } | undefined {
  const count = Math.max(2, ...lines.map((line) => line.length)), step = width / (count - 1 + 2 * padding);
  const at = (x: number) => x / step - padding;
  const isFree = ({ x, dy }: { x: number; dy: number }) => {
    const from = Math.max(0, Math.floor(at(x))), to = Math.ceil(at(x + label.width));
    return lines.every((line) => gapTo(label.y + dy, line.slice(from, to + 1).flat()) > HALF + CLEAR);
  };
  return Array.from({ length: count }, (_, i) => 4 + i * step)
    .flatMap((x) => [-8, 10].map((dy) => ({ x, dy })))
    .filter(({ x, dy }) =>
      x + label.width <= width && label.y + dy > HALF && label.y + dy < label.height - HALF
    )
    .find(isFree);
}

/** Distance from a height to what a line covers between its steps. */
function gapTo(y: number, covered: readonly number[]): number {
  const low = Math.min(...covered), high = Math.max(...covered);
  return y < low ? low - y : y > high ? y - high : 0;
}
