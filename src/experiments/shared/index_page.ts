/** The index of the reports. */
import { basename, join } from "node:path";
import { text } from "../../report/blocks.ts";
import { claimCounts } from "../../report/claims.ts";
import { type ExperimentCard, experimentCard } from "../../report/experiment_card.ts";
import { headOfPage } from "../../report/page.ts";
import { linkPages } from "../../report/page_links.ts";
import { readResults, type ResultsRun } from "../../report/results.ts";
import { writePage } from "../../report/write_page.ts";
import { EMBEDDED, runDataLine } from "./run_data.ts";

/**
 * Writes `index.html`: a card for every page with what it asks, its claims counted by outcome, and each claim beside what
 * was measured. Pages of earlier runs follow where results.json and the folder still have them; where runs differ in data or
 * seed, each card says its own. Every page that is listed is linked to the index, to the one before and to the next.
 *
 * @param out folder of the pages and results.json
 * @param pages path of each experiment's page, by its name, in the order to show
 * @param command as typed
 * @param leftOut why experiments were not run on these data, by name; what earlier runs found of them is not shown
 * @returns the path of the index
 * @throws Error when there are no results yet, or a file of a page's name is no page
 */
export async function writeIndexPage(
  out: string,
  pages: Record<string, string>,
  command: string,
  leftOut: Record<string, string> = {},
): Promise<string> {
  const results = await readResults(`${out}/results.json`);
  if (!results) throw new Error(`There is no ${out}/results.json: run an experiment first.`);
  const listed = [...Object.keys(pages), ...Object.keys(results.experiments), "explorer"];
  const names = new Set(listed.filter((name) => leftOut[name] === undefined));
  const runs = [...names].flatMap((name) => results.experiments[name] ?? []).map((own) => ({
    ...results,
    ...own,
  }));
  const all = <T>(
    valueOf: (run: ResultsRun) => T,
  ) => [...new Set((runs.length > 0 ? runs : [results]).map(valueOf))];
  const data = all(({ inputs }) => inputs.data), seeds = all(({ seed }) => seed);
  const adapters = all(({ adapter: { description, software } }) =>
    `${description}${software ? " (software)" : ""}`
  );
  const isEmbedded = data.join() === EMBEDDED, isOneRun = data.length === 1 && seeds.length === 1;
  const cards = (await Promise.all([...names].map(async (name): Promise<ExperimentCard[]> => {
    const href = basename(pages[name] ?? `${name}.html`);
    const head = await readHead(join(out, href));
    if (!head) return [];
    const own = results.experiments[name], run = { ...results, ...own };
    const of = isOneRun || !own ? undefined : `Of ${run.inputs.data}, seed ${run.seed}: ${run.command}`;
    return [{ ...head, href, claims: own?.claims ?? [], of }];
  }))).flat();
  const claims = cards.flatMap((card) => card.claims);
  const modelsOf = (own: string) => [
    ...new Set(runs.filter(({ inputs }) => inputs.data === own).flatMap(({ inputs }) => inputs.models)),
  ];
  const path = await writePage(`${out}/index.html`, {
    title: "Reports",
    question: isEmbedded
      ? "Which of the paper's claims hold for small models, rendered scenes and a simulated subject?"
      : `Which of the paper's claims hold on these data: ${data.join("; ")}?`,
    data: (await Promise.all(data.map((own) => runDataLine(own, modelsOf(own))))).join(" "),
    method: `The paper's claims and what became of them: ${
      claims.length > 0 ? claimCounts(claims) : "none tested yet"
    }.${
      isEmbedded
        ? " Models and scenes are small and rendered, the subject is simulated: what fails here may hold for the paper's, and the other way round."
        : ""
    }`,
    sections: [
      { heading: "Pages", body: cards.map(experimentCard) },
      ...Object.keys(leftOut).length > 0
        ? [{
          heading: "Left out",
          body: Object.entries(leftOut).map(([name, why]) => text(`${name}: ${why}`)),
        }]
        : [],
    ],
    settings: {
      adapter: adapters.join("; "),
      deno: results.deno,
      version: results.version,
      seed: seeds.join("; "),
    },
    command,
  });
  await linkPages(out, cards);
  return path;
}

/** Title and question of a page, or undefined where there is no such page. */
async function readHead(path: string) {
  let markup: string;
  try {
    markup = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const head = headOfPage(markup);
  if (!head) throw new Error(`${path} is no page of this toolkit: move it away, or choose another --out.`);
  return head;
}
