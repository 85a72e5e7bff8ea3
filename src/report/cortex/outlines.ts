/** Outlines of regions on a flat mesh. */

/** A line of points x, y, one behind the other. */
export type Line = number[];

/** Points nearer than this to the one before are left out, in units of the drawing. */
const LEAST = 3;

/**
 * Draws around a region, half-way along the edges that lead out of it.
 *
 * @param isInside whether a vertex belongs to the region
 * @param places vertices × 2
 * @param faces faces × 3
 * @returns lines, closed ones with their first point at the end again; open where the region ends at the mesh's own edge
 */
export function outlineOf(
  isInside: (vertex: number) => boolean,
  places: ArrayLike<number>,
  faces: ArrayLike<number>,
): Line[] {
  // Each face that is crossed joins the middles of two of its edges.
  const joined = new Map<string, string[]>();
  const join = (a: string, b: string) => joined.set(a, [...joined.get(a) ?? [], b]);
  for (let f = 0; f < faces.length; f += 3) {
    const corners = [faces[f], faces[f + 1], faces[f + 2]];
    const crossed = corners.flatMap((corner, i) => {
      const next = corners[(i + 1) % 3];
      return isInside(corner) === isInside(next)
        ? []
        : [`${Math.min(corner, next)} ${Math.max(corner, next)}`];
    });
    if (crossed.length < 2) continue;
    join(crossed[0], crossed[1]);
    join(crossed[1], crossed[0]);
  }
  const seen = new Set<string>(), lines: Line[] = [];
  const point = (edge: string) => {
    const [a, b] = edge.split(" ").map(Number);
    return [0, 1].map((axis) => (places[2 * a + axis] + places[2 * b + axis]) / 2);
  };
  const walk = (start: string) => {
    const edges = [start];
    seen.add(start);
    for (let at = start;;) {
      const next = joined.get(at)!.find((edge) => !seen.has(edge));
      if (next === undefined) break;
      edges.push(next);
      seen.add(next);
      at = next;
    }
    const last = edges.at(-1)!, isClosed = edges.length > 2 && joined.get(last)!.includes(start);
    const line = edges.flatMap(point);
    lines.push(isClosed ? [...line, ...line.slice(0, 2)] : line);
  };
  for (const [edge, others] of joined) if (others.length === 1 && !seen.has(edge)) walk(edge);
  for (const edge of joined.keys()) if (!seen.has(edge)) walk(edge);
  return lines;
}

/**
 * SVG path data of a line: smooth, each point but the ends pulling the line towards it between the middles of its edges.
 *
 * @param line as `outlineOf` gives it
 */
export function smoothPath(line: Line): string {
  const isClosed = line.length > 4 && line[0] === line.at(-2) && line[1] === line.at(-1);
  const points: [number, number][] = [];
  for (let i = 0; i < line.length - (isClosed ? 2 : 0); i += 2) {
    const [x, y] = points.at(-1) ?? [-Infinity, -Infinity], isLast = i === line.length - 2;
    if (isLast || Math.hypot(line[i] - x, line[i + 1] - y) >= LEAST) points.push([line[i], line[i + 1]]);
  }
  const at = (i: number) => points[(i + points.length) % points.length];
  const middle = (i: number) => [0, 1].map((axis) => (at(i)[axis] + at(i + 1)[axis]) / 2);
  let [x, y] = isClosed ? middle(-1).map(tenths) : points[0].map(tenths);
  const parts = [`M${x} ${y}`];
  const add = (kind: string, ...to: number[][]) => {
    const steps = to.flatMap(([toX, toY]) => [tenths(tenths(toX) - x), tenths(tenths(toY) - y)]);
    parts.push(kind + steps.map(String).join(" ").replaceAll(" -", "-"));
    [x, y] = to.at(-1)!.map(tenths);
  };
  if (isClosed) { for (let i = 0; i < points.length; i++) add("q", at(i), middle(i)); }
  else {
    for (let i = 1; i < points.length - 1; i++) {
      add("q", at(i), i < points.length - 2 ? middle(i) : at(i + 1));
    }
    if (points.length === 2) add("l", at(1));
  }
  return parts.join("");
}

function tenths(value: number): number {
  return Math.round(10 * value) / 10 || 0;
}
