/** A page's drawing as a file of its own. */
import { mixInOklab } from "./mix_colors.ts";
import { type Theme, themeColors } from "./theme.ts";

/** Families that papers' programs know, all of about one width. */
const FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/**
 * Makes a drawing independent of the page that it was drawn for: the page's colors become those of a theme, its fonts
 * ones that other programs have, and its size the one that it is drawn in.
 *
 * @param svg with a viewBox, its colors named as in `pageTheme`
 * @param theme the colors to give it
 * @returns the drawing as an XML document
 * @throws Error `The drawing has no viewBox …`, or when it names a color that the theme does not have
 */
export function standaloneSvg(svg: string, theme: Theme): string {
  const colors = themeColors(theme);
  const colored = svg
    .replaceAll(/var\(--([\w-]+)\)/g, (_, name) => {
      const color = colors.get(name);
      if (color === undefined) throw new Error(`A drawing names the color ${name}, which no theme has.`);
      return color;
    })
    .replaceAll(
      /color-mix\(in oklab, (#\w{6}) ([\d.]+)%, (#\w{6})\)/g,
      (_, first, percent, second) => mixInOklab(first, Number(percent) / 100, second),
    )
    .replaceAll(/font-family="ui-sans-serif[^"]*"/g, `font-family="${FONT}"`);
  const [root] = /^<svg [^>]*>/.exec(colored) ?? [""];
  const [, width, height] = /viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"/.exec(root) ?? [];
  if (!height) throw new Error("The drawing has no viewBox: give it one, so that its size is known.");
  const bare = root.replaceAll(/ (?:width|height)="[^"]*"/g, "");
  const font = root.includes("font-family=") ? "" : ` font-family="${FONT}"`;
  const body = colored.slice(root.length);
  // Pictures inside of drawings: not every editor knows SVG 2, which needs no namespace for them.
  const linked = body.replaceAll(/(<image [^>]*?) href="/g, '$1 xlink:href="');
  const space = linked === body ? "" : ' xmlns:xlink="http://www.w3.org/1999/xlink"';
  const sized = bare.replace("<svg ", `<svg width="${width}" height="${height}"${font}${space} `);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${sized}${linked}\n`;
}
