/** The explorer's page as one text. */
import type { ExplorerContent } from "../../src/report/explorer/content.ts";
import { explorerPieces, type ExplorerText } from "../../src/report/explorer/page.ts";

export async function renderExplorer(content: ExplorerContent, text: ExplorerText): Promise<string> {
  return (await explorerPieces(content, text)).join("");
}
