/** What all pages begin with: their style, of text and tables, then of claims and figures, and what they may do. */
import { createHash } from "node:crypto";
import { escapeHtml, type Html, rawHtml } from "./html.ts";
import { themeCss } from "./theme.ts";
import blocks from "./blocks.css" with { type: "text" };
import claims from "./claims.css" with { type: "text" };
import page from "./page.css" with { type: "text" };

/** CSS of every page. */
export const pageStyle = `${page}\n${blocks}\n${claims}`;

/** The head of a page that requests nothing and runs one script, if any. @param style beside that of all pages */
export function pageHead(title: string, script: string | undefined, style = ""): Html {
  const allowed = script ? `sha256-${createHash("sha256").update(script).digest("base64")}` : "none";
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; " +
    `script-src '${allowed}'; base-uri 'none'; form-action 'none'`;
  return rawHtml(`<head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${policy}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <title>${escapeHtml(title)} · AlignedCut</title>
        <style>
    ${themeCss()}
    ${pageStyle}${style}</style>
      </head>`);
}
