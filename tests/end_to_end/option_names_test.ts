import { assertEquals, assertRejects } from "@std/assert";
import * as api from "../../mod.ts";
import * as data from "../../src/data/mod.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const MODULES = ["mod.ts", "browser.ts", "src/data/mod.ts", "src/report/mod.ts", "src/scripting/mod.ts"];

/** Functions that are given which options a script has. */
const DECLARE = ["parseOptions", "scriptOptions"];

/** What `deno doc --json` says of a parameter, as far as it is looked at. */
interface Parameter {
  kind: string;
  name?: string;
  optional?: boolean;
  left?: Parameter;
  tsType?: DocType;
}
interface DocType {
  repr: string;
  kind: string;
  /** Of a literal its properties; of a union or an intersection its parts. */
  value?: { properties?: { optional: boolean }[] } | DocType[];
}
interface DocSymbol {
  name: string;
  declarations: { kind: string; def: { params?: Parameter[] } }[];
}

/** Whether a type is one of options: named so, or written in place with properties that may be absent. */
function isOfOptions({ repr, kind, value }: DocType): boolean {
  if (Array.isArray(value)) return value.some(isOfOptions);
  if (kind === "typeLiteral") return value?.properties?.some(({ optional }) => optional) ?? false;
  return /Options$/.test(repr);
}

/** Names of the public functions that take options. */
async function functionsWithOptions(): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...MODULES],
    cwd: ROOT,
    stderr: "null",
  }).output();
  const { nodes }: { nodes: Record<string, { symbols: DocSymbol[] }> } = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  const found = Object.values(nodes).flatMap(({ symbols }) => symbols).filter(({ declarations }) =>
    declarations.some(({ kind, def }) =>
      kind === "function" && def.params!.some((parameter) => {
        const { name, tsType } = parameter.left ?? parameter;
        return name === "options" || tsType !== undefined && isOfOptions(tsType);
      })
    )
  );
  return [...new Set(found.map(({ name }) => name))].filter((name) => !DECLARE.includes(name)).sort();
}

Deno.test("every public function that takes options refuses one that it does not have: a misspelt one would be left out", async () => {
  const x = { data: Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)), rows: 20, cols: 3 };
  using gpu = await api.openGpu();
  const source = api.matrixSource(x), cut = await api.normalizedCut(gpu, x, { components: 2 });
  const aligned = api.alignData([{ name: "a", width: 3 }], x, x, [x]);
  const calls: Record<string, (options: never) => unknown> = {
    affinity: (options) => api.affinity(gpu, x, options),
    auditApproximation: (options) => api.auditApproximation(cut, cut, options),
    brainScore: (options) => api.brainScore(x, x, options),
    cka: (options) => api.cka(x, x, options),
    clickSimilarity: (options) => api.clickSimilarity(x, options),
    colorsInSpace: (options) => api.colorsInSpace(gpu, {} as api.SavedSpace, 0, x, options),
    degrees: (options) => api.degrees(gpu, x, options),
    descendOnBatches: (options) => api.descendOnBatches(x, options),
    discretize: (options) => api.discretize(x, options),
    eigh: (options) => api.eigh(x, options),
    exactCut: (options) => api.exactCut(gpu, x, options),
    exampleData: (options) => api.exampleData(60, options),
    fitNystrom: (options) => api.fitNystrom(gpu, source, options),
    fitSpace: (options) => api.fitSpace(gpu, [], x, x, options),
    fowlkesNystrom: (options) => api.fowlkesNystrom(gpu, x, options),
    kmeans: (options) => api.kmeans(x, options),
    linearEncoder: (options) => api.linearEncoder(gpu, x, x, options),
    matmul: (options) => api.matmul(gpu, x, x, options),
    meanFeatures: (options) => api.meanFeatures(["mae_tiny"], [], options),
    minibatchGradient: (options) => api.minibatchGradient(gpu, x, options),
    nearestNeighbors: (options) => api.nearestNeighbors(gpu, x, x, options),
    noiseCeiling: (options) => api.noiseCeiling([[1, 2, 3], [1, 3, 2]], options),
    normalizedCut: (options) => api.normalizedCut(gpu, x, options),
    openGpu: (options) => api.openGpu(options),
    openNsd: (options) => data.openNsd("nowhere", options),
    patchFeatures: (options) => api.patchFeatures("mae_tiny", [], undefined, options),
    rayleighQuotients: (options) => api.rayleighQuotients(gpu, x, x, options),
    readBrainSubject: (options) => api.readBrainSubject("nowhere", "test", 1, options),
    readEmbedding: (options) => api.readEmbedding("nowhere.csv", options),
    ridge: (options) => api.ridge(gpu, x, x, options),
    rsa: (options) => api.rsa([1, 2, 3], [1, 2, 3], options),
    sampleLandmarks: (options) => api.sampleLandmarks(gpu, source, options),
    spectralColors: (options) => api.spectralColors(gpu, source, options),
    spectralMap: (options) => api.spectralMap(gpu, source, options),
    trainAlign: (options) => api.trainAlign(gpu, aligned, options),
    tsne: (options) => api.tsne(gpu, x, options),
    twoWayCut: (options) => api.twoWayCut(gpu, x, options),
  };
  assertEquals(Object.keys(calls), await functionsWithOptions(), "a function has no call here");
  const model = await api.fitNystrom(gpu, source, { landmarks: 9, components: 2 });
  calls.panels = (options) => model.panels(source, options).next();
  calls.transform = (options) => model.transform(source, options);
  for (const [name, call] of Object.entries(calls)) {
    const { message } = await assertRejects(
      async () => await call({ misspelt: 1 } as never),
      RangeError,
      undefined,
      name,
    );
    assertEquals(message.slice(0, message.indexOf(":")), `${name}() has no option "misspelt"`);
  }
});
