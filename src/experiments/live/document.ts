/** The live page's document and style: what it says before its script runs. */
import { commandLine, contents, settingsList, text } from "../../report/blocks.ts";
import { html } from "../../report/html.ts";
import { pageLinks, type PagesBeside } from "../../report/page_links.ts";
import { pageStyle } from "../../report/page_style.ts";
import { themeCss } from "../../report/theme.ts";
import answersStyle from "../../report/explorer/answers.css" with { type: "text" };
import explorerStyle from "../../report/explorer/explorer.css" with { type: "text" };
import { STEPS } from "../../embed/tsne.ts";
import { COMPONENTS } from "./compute.ts";
import style from "./page.css" with { type: "text" };
import page from "./page.html" with { type: "text" };

/** CSS of the page. */
export function liveStyle(): string {
  return [themeCss(), pageStyle, explorerStyle, answersStyle, style].join("\n");
}

/** What a folder's page says of itself. */
export interface LiveDocument {
  /** Of its Content-Security-Policy. */
  policy: string;
  /** Pages beside the folder, as `linksAbove` finds them. */
  beside: PagesBeside;
  settings: Readonly<Record<string, string | number>>;
  command: string;
}

const METHOD =
  `A photograph is resized and cropped as its model was trained, and runs through it in onnxruntime-web. The tokens of a layer are the nodes of a graph with affinity exp(cos − 1); ${COMPONENTS} eigenvectors of its normalised cut go through t-SNE to three dimensions (${
    STEPS[3]
  } steps), which are red, green and blue.`;

/**
 * Renders the document.
 *
 * @throws TypeError as `pageLinks`
 */
export function liveDocument({ policy, beside, settings, command }: LiveDocument): string {
  const parts = [
    { heading: "Method", body: text(METHOD) },
    { heading: "Settings", body: settingsList(settings) },
    { heading: "Make it again", body: html`${text("In the project's folder:")}${commandLine(command)}` },
  ].map(({ heading, body }, at) => ({ heading, body, id: `part-${at + 2}` }));
  const filled: Record<string, string> = {
    POLICY: policy,
    LINKS: pageLinks(beside, "../").markup,
    CONTENTS: contents([{ heading: "Photographs", id: "part-1" }, ...parts]).markup,
    PARTS: html`${
      parts.map(({ heading, id, body }) =>
        html`
          <section aria-labelledby="${id}">
            <h2 id="${id}">${heading}</h2>
            ${body}
          </section>
        `
      )
    }`.markup,
  };
  return page.replaceAll(/POLICY|LINKS|CONTENTS|PARTS/g, (name) => filled[name]);
}
