/** The index of the reports. */
import { basename } from "node:path";
import { writeFileAtomic } from "../data/atomic_write.ts";
import { claimBox, linkList } from "../report/blocks.ts";
import { renderPage } from "../report/page.ts";
import { readResults } from "../report/results.ts";

/**
 * Writes `index.html`: every page with what it asks and found, and every claim with its verdict.
 *
 * @param out folder of the pages and results.json
 * @param pages path of each experiment's page, by its name
 * @param command as typed
 * @returns the path of the index
 * @throws Error when there are no results yet
 */
export async function writeIndexPage(
  out: string,
  pages: Record<string, string>,
  command: string,
): Promise<string> {
  const results = await readResults(`${out}/results.json`);
  if (!results) throw new Error(`There is no ${out}/results.json: run an experiment first.`);
  const claims = Object.values(results.experiments).flatMap(({ claims }) => claims);
  const count = (verdict: string) => claims.filter((claim) => claim.verdict === verdict).length;
  const page = renderPage({
    title: "Reports",
    question: "What of the paper do the embedded models, scenes and observer show?",
    method: `Of ${claims.length} claims ${count("shown")} are shown, ${count("not shown")} are not, and ${
      count("not testable")
    } cannot be tested here. Models and scenes are small and rendered, the observer is simulated: what fails here may hold for the paper's, and the other way round.`,
    sections: [
      {
        heading: "Pages",
        body: linkList(Object.entries(pages).map(([name, path]) => ({ title: name, href: basename(path) }))),
      },
      ...Object.entries(results.experiments).filter(([, { claims }]) => claims.length > 0)
        .map(([name, { claims }]) => ({ heading: name, body: claims.map(claimBox) })),
    ],
    settings: {
      adapter: `${results.adapter.description}${results.adapter.software ? " (software)" : ""}`,
      ...{ deno: results.deno, version: results.version, seed: results.seed },
    },
    command,
  });
  const path = `${out}/index.html`;
  await writeFileAtomic(path, page);
  return path;
}
