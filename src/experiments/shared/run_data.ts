/** What a run's numbers come from, in words that say of each part whether it is real or synthetic. */
import { isEmbedded } from "../../data/models/known_models.ts";
import { findRegistered } from "../../data/models/model_registry.ts";
import { dataLine, type DataPart } from "../../report/data_line.ts";

/** Where a run's data are the synthetic dataset's. */
export const EMBEDDED = "embedded";
/** The data of `real-brains`, and of `bench`. */
const MEASURED = "real", GENERATED = "synthetic";
/** In the name of a run's data, what its responses are where the subject is simulated. */
export const SIMULATED = "simulated subject";
/** Behind the name of a folder that was given, but is one of the synthetic dataset's. */
export const SYNTHETIC_FOLDER = " (synthetic dataset)";

/** What a run's data, as in `results.json`, are called on a page. */
export function dataName(data: string): string {
  return {
    [EMBEDDED]: "the synthetic dataset",
    [MEASURED]: "measured cortex",
    [GENERATED]: "generated data",
  }[data] ??
    data;
}

/**
 * The line of a page.
 *
 * @param data the run's data as in `results.json`: "embedded", or kinds and folders, as "voc VOC2012, simulated subject"
 * @param models names of the run's models
 * @param hasResponses whether its numbers depend on responses, too
 */
export async function runDataLine(
  data: string,
  models: readonly string[],
  hasResponses = true,
): Promise<string> {
  return dataLine([...partsOfData(data, hasResponses), ...await partsOfModels(models)]);
}

/** What images and responses are. */
function partsOfData(data: string, hasResponses: boolean): DataPart[] {
  if (data === EMBEDDED) {
    const what = hasResponses ? "rendered scenes and a simulated subject" : "rendered scenes";
    return [{ what, kind: "synthetic" }];
  }
  if (data === MEASURED) return [{ what: "measured cortex, human and monkey", kind: "real" }];
  if (data === GENERATED) return [{ what: "generated features and images", kind: "synthetic" }];
  return data.split(", ").map((name): DataPart => {
    if (name === SIMULATED) return { what: "responses of a simulated subject", kind: "synthetic" };
    const [, kind, folder] = /^(algonauts|nsd|voc|imagenet-seg|images) (.*)$/s.exec(name) ?? [];
    const own = folder ?? name, isSynthetic = own.endsWith(SYNTHETIC_FOLDER);
    const subject = kind === "algonauts" || kind === "nsd";
    const title = isSynthetic ? own.slice(0, -SYNTHETIC_FOLDER.length) : own;
    return {
      what: kind === undefined
        ? title
        : `${subject ? "images and responses of" : "photographs of"} ${
          kind === "images" ? "" : `${kind} `
        }${title}`,
      kind: isSynthetic ? "synthetic" : "real",
    };
  });
}

/** What models learned from: those of this repository from rendered scenes, those known by name from photographs. */
export async function partsOfModels(models: readonly string[]): Promise<DataPart[]> {
  const embedded: string[] = [], known: string[] = [], given: string[] = [];
  for (const model of models) {
    (await isEmbedded(model) ? embedded : findRegistered(model) ? known : given).push(model);
  }
  const weights = (names: string[], kind: DataPart["kind"]): DataPart[] =>
    names.length > 0 ? [{ what: `weights of ${names.join(", ")}`, kind }] : [];
  return [
    ...weights(known, "real"),
    ...weights(given, "as given"),
    ...embedded.length > 0
      ? [{ what: `${embedded.join(", ")}, trained on rendered scenes`, kind: "synthetic" } as const]
      : [],
  ];
}
