/** The index of the reports. */
import { readIfThere } from "../../data/files/plain_file.ts";
import { basename, join } from "node:path";
import { holdPages, reasonOf, writeFileAtomic } from "../../data/files/atomic_write.ts";
import { objectOf, parseJson, TEXT } from "../../data/files/checked_json.ts";
import { skippedLines } from "../../data/files/skipped.ts";
import { claimCounts } from "../../report/claims.ts";
import type { ExperimentCard } from "../../report/experiment_card.ts";
import type { ExplorerParts } from "../../report/explorer/page.ts";
import { renderFrontPage } from "../../report/front_page.ts";
import { leadFigure } from "../../report/lead_figure.ts";
import { headOfPage } from "../../report/page.ts";
import { linkPages } from "../../report/page_links.ts";
import { readResults, type ResultsRun } from "../../report/results.ts";
import { dataName, EMBEDDED, runDataLine } from "./run_data.ts";

/** Pages in the order of the index; others follow, the explorer last. */
const ORDER =
  "figure-ground segmentation trajectories transitions colors concepts galleries rosetta brain-score real-brains nystrom fixtures"
    .split(" ");

/** Beside the explorer's page: its parts, of fewer images, for the front page. */
export const FRONT_EXPLORER = "explorer.front.json";

/**
 * Writes `index.html`: the explorer where there is one, and a card for every page with its first figure, what it asks, and
 * its claims. Pages of earlier runs follow where results.json and the folder still have them; where runs differ in data or
 * seed, each card says its own. Every page that is listed is linked to the index, to the one before and to the next.
 *
 * @param out folder of the pages and results.json
 * @param pages path of each experiment's page, by its name
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
  await using _held = await holdPages(out);
  const results = await readResults(`${out}/results.json`);
  if (!results) throw new Error(`There is no ${out}/results.json: run an experiment first.`);
  const listed = [...Object.keys(pages), ...Object.keys(results.experiments), "explorer"];
  const places = new Map(ORDER.map((name, place) => [name, place]));
  const placeOf = (name: string) => places.get(name) ?? ORDER.length + Number(name === "explorer");
  const names = new Set(
    listed.filter((name) => leftOut[name] === undefined).sort((a, b) => placeOf(a) - placeOf(b)),
  );
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
  const explorer = names.has("explorer") ? await readExplorer(out) : undefined;
  const cards = (await Promise.all([...names].map(async (name): Promise<ExperimentCard[]> => {
    const href = basename(pages[name] ?? `${name}.html`);
    const markup = await readIfThere(join(out, href));
    if (markup === undefined) return [];
    const own = results.experiments[name], run = { ...results, ...own };
    const of = isOneRun || !own
      ? undefined
      : `Of ${dataName(run.inputs.data)}, seed ${run.seed}: ${run.command}`;
    const figure = name === "explorer" && explorer ? undefined : leadFigure(markup, name);
    return [{ ...headOf(join(out, href), markup), href, figure, claims: own?.claims ?? [], of }];
  }))).flat();
  const claims = cards.flatMap((card) => card.claims);
  const modelsOf = (own: string) => [
    ...new Set(runs.filter(({ inputs }) => inputs.data === own).flatMap(({ inputs }) => inputs.models)),
  ];
  const dataNames = data.map(dataName).join("; ");
  const path = join(out, "index.html"), skipped = skippedLines();
  const markup = await renderFrontPage({
    question: claims.length === 0
      ? `What do the pages show of these data: ${dataNames}?`
      : isEmbedded
      ? "Which of the paper's claims hold for small models, rendered scenes and a simulated subject?"
      : `Which of the paper's claims hold on these data: ${dataNames}?`,
    data: `${
      (await Promise.all(data.map((own) => runDataLine(own, modelsOf(own))))).map((line) =>
        line.replace(/\.$/, "")
      )
        .join("; ")
    }.`,
    explorer,
    cards,
    leftOut,
    method: `The paper's claims and what became of them: ${
      claims.length > 0 ? claimCounts(claims) : "none tested yet"
    }.${
      isEmbedded
        ? " Models and scenes are small and rendered, the subject is simulated: what fails here may hold for the paper's, and the other way round."
        : ""
    }`,
    settings: {
      adapter: adapters.join("; "),
      deno: results.deno,
      version: results.version,
      seed: seeds.join("; "),
      ...(skipped.length > 0 && { "left out or odd": skipped.join(" · ") }),
    },
    command,
  });
  await writeFileAtomic(path, markup);
  await linkPages(out, cards);
  return path;
}

const MARKUP = objectOf({ markup: TEXT }, "markup");
const EXPLORER = objectOf(
  { style: TEXT, script: TEXT, body: MARKUP, method: MARKUP, end: MARKUP },
  "an explorer",
);

/** The explorer for the front page, where its page and it are there. */
async function readExplorer(out: string): Promise<ExplorerParts | undefined> {
  const parts = await readIfThere(join(out, FRONT_EXPLORER));
  const hasPage = await readIfThere(join(out, "explorer.html")) !== undefined;
  if (!parts || !hasPage) return undefined;
  try {
    return parseJson(parts, EXPLORER);
  } catch (error) {
    throw new Error(
      `Cannot use ${join(out, FRONT_EXPLORER)} (${reasonOf(error)}): run ./run explorer again.`,
      {
        cause: error,
      },
    );
  }
}

/** Title and question of a page. */
function headOf(path: string, markup: string) {
  const head = headOfPage(markup);
  if (!head) throw new Error(`${path} is not a page of this toolkit: move it away, or choose another --out.`);
  return head;
}
