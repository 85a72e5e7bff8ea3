/** Markup that is safe to put in a page as it is: made by `html` from escaped parts, or by `rawHtml`. */
export interface Html {
  /** HTML, escaped. */
  readonly markup: string;
}

/** What `html` takes between its parts; strings and numbers are escaped, nothing is left out silently. */
export type HtmlPart = Html | string | number | readonly HtmlPart[];

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Escapes text so that it can stand between tags and inside quoted attributes.
 * @param text Any text, for instance a file name or a caption.
 * @returns The text with `& < > " '` as entities.
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/**
 * Undoes `escapeHtml`.
 * @param markup Escaped text.
 */
export function unescapeHtml(markup: string): string {
  const characters = new Map(Object.entries(ENTITIES).map(([character, entity]) => [entity, character]));
  return markup.replace(/&#?\w+;/g, (entity) => characters.get(entity) ?? entity);
}

/**
 * Template tag that escapes every part which is not already `Html`; lists are joined.
 * @returns Markup whose only unescaped text is the template's own.
 *
 * @example
 * ```ts
 * import { html } from "./html.ts";
 * console.log(html`<p>${"a < b"}</p>`.markup); // <p>a &lt; b</p>
 * ```
 */
export function html(strings: TemplateStringsArray, ...parts: HtmlPart[]): Html {
  return { markup: String.raw({ raw: strings }, ...parts.map(toMarkup)) };
}

/**
 * Declares that markup is safe as it is.
 * @param markup Markup from a source that escapes by itself, such as a chart's SVG.
 */
export function rawHtml(markup: string): Html {
  return { markup };
}

function toMarkup(part: HtmlPart): string {
  if (typeof part === "string") return escapeHtml(part);
  if (typeof part === "number") return String(part);
  return "markup" in part ? part.markup : part.map(toMarkup).join("");
}
