/** The style of all pages: of text and tables, then of claims and figures. */
import blocks from "./blocks.css" with { type: "text" };
import claims from "./claims.css" with { type: "text" };
import page from "./page.css" with { type: "text" };

/** CSS of every page. */
export const pageStyle = `${page}\n${blocks}\n${claims}`;
