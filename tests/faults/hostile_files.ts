/** Every format that is read, damaged at random and made up to do harm. */
import { Table, tableToIPC, vectorFromArray } from "apache-arrow";
import { dirname } from "node:path";
import sharp from "sharp";
import { renderScene } from "../../fixtures/scenes/mod.ts";
import { saveAlign } from "../../src/data/align_file.ts";
import { createFeatures } from "../../src/data/feature_store.ts";
import { writeNpy } from "../../src/data/npy.ts";
import { encodePalettePng } from "../../src/data/palette_png.ts";
import { encodePickledMapping } from "../../src/data/pickled_mapping.ts";
import { writeImagenetSegmentation } from "../../src/data/write_imagenet_segmentation.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import { type FaultFamily, unclear } from "./family.ts";
import { mutate, type Mutation } from "./mutations.ts";
import { READERS } from "./readers.ts";

/** Longest that a file may take, and the most memory of the process that reads it. */
const MOST_MS = 10_000, MOST_BYTES = 1e9;
/** Damaged copies of each format. */
const EACH = { quick: 12, whole: 160 };
const CORPUS = new URL("./corpus/", import.meta.url);

export const hostileFiles: FaultFamily = {
  name: "files",
  title: "files of every format read: bits, lengths, cuts, bombs",
  async run({ quick, seed, tell }) {
    const folder = await Deno.makeTempDir({ prefix: "alignedcut-faults-" });
    const reader = startReader(), failures: string[] = [];
    let tried = 0, refused = 0;
    try {
      const samples = await writeSamples(`${folder}/samples`);
      for (const [format, bytes] of Object.entries(samples)) {
        const random = seededRandom(seed + tried);
        const cases: Mutation[] = [
          ...(BOMBS[format]?.() ?? []),
          ...await corpusOf(format),
          ...Array.from({ length: quick ? EACH.quick : EACH.whole }, () => mutate(bytes, random)),
        ];
        await writeNeighbors(folder, format, samples);
        const whole = await reader.read(format, await place(folder, format, bytes), folder);
        if (whole.message !== null) failures.push(`${format}, whole: ${whole.message}`);
        for (const { what, bytes: damaged } of cases) {
          tried++;
          const path = await place(folder, format, damaged);
          const answer = await reader.read(format, path, folder);
          refused += Number(answer.message !== null);
          const why = badAnswer(answer, path);
          if (!why) continue;
          failures.push(`${format}, ${what}: ${why}`);
          await Deno.mkdir(`${folder}/broke`, { recursive: true });
          await Deno.writeFile(`${folder}/broke/${format.replaceAll(" ", "_")}-${tried}.bin`, damaged);
        }
        tell(`${format}: ${cases.length} tried, ${failures.length} failed so far`);
      }
      await assertUntouched(folder, failures);
    } finally {
      reader.end();
      if (failures.length === 0) await Deno.remove(folder, { recursive: true });
      else tell(`what broke is in ${folder}/broke`);
    }
    return { tried, failures, figures: { "refused with a sentence": String(refused) } };
  },
};

interface Answer {
  message: string | null;
  kind: string;
  ms: number;
  rss: number;
}

/** What is wrong with an answer, or null. */
function badAnswer({ message, kind, ms, rss }: Answer, path: string): string | null {
  if (ms > MOST_MS) return `it took ${Math.round(ms / 1000)} s`;
  if (rss > MOST_BYTES) return `the process had ${Math.round(rss / 1e6)} MB`;
  if (message === null) return null;
  const why = unclear(message);
  if (why) return `${why}: ${message.slice(0, 200)}`;
  if (kind === "TypeError" || kind === "crash") return message.slice(0, 200);
  const name = path.replace(/^.*\//, "").replace(/\.(model\.json|preprocessor\.json)$/, "");
  return message.includes(name) ? null : `the file is not named: ${message.slice(0, 200)}`;
}

/** A process that reads files; another one after a crash or when it takes too long. */
function startReader() {
  const start = () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "-A", new URL("./read_worker.ts", import.meta.url).pathname],
      ...{ stdin: "piped", stdout: "piped", stderr: "null" },
    }).spawn();
    return {
      child,
      writer: child.stdin.getWriter(),
      answers: child.stdout.pipeThrough(new TextDecoderStream()).getReader(),
      text: "",
    };
  };
  let own = start();
  return {
    async read(format: string, path: string, folder: string): Promise<Answer> {
      await own.writer.write(new TextEncoder().encode(JSON.stringify({ format, path, folder }) + "\n"));
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        own.child.kill("SIGKILL");
      }, 1.5 * MOST_MS);
      try {
        while (true) {
          const [line, ...rest] = own.text.split("\n");
          if (rest.length > 0) {
            own.text = rest.join("\n");
            if (line.startsWith("@")) return JSON.parse(line.slice(1));
            continue;
          }
          const { value, done } = await own.answers.read();
          if (done) {
            const { code, signal } = await own.child.status;
            own = start();
            return late
              ? { message: "it did not end", kind: "crash", ms: 1.5 * MOST_MS, rss: 0 }
              : { message: `the process ended with ${signal ?? code}`, kind: "crash", ms: 0, rss: 0 };
          }
          own.text += value;
        }
      } finally {
        clearTimeout(timer);
      }
    },
    end() {
      own.child.kill("SIGKILL");
      own.writer.abort().catch(() => {});
      own.answers.cancel().catch(() => {});
    },
  };
}

async function place(folder: string, format: string, bytes: Uint8Array): Promise<string> {
  const path = `${folder}/${READERS[format].file}`;
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, bytes);
  return path;
}

/** What belongs beside a file of this format. */
async function writeNeighbors(folder: string, format: string, samples: Record<string, Uint8Array>) {
  if (format !== "voc txt") return;
  for (
    const [dir, bytes, ending] of [["JPEGImages", samples.jpeg, "jpg"], [
      "SegmentationClass",
      samples["palette png"],
      "png",
    ]]
  ) {
    await Deno.mkdir(`${folder}/voc/${dir}`, { recursive: true });
    for (const name of ["one", "two"]) {
      await Deno.writeFile(`${folder}/voc/${dir}/${name}.${ending}`, bytes as Uint8Array);
    }
  }
}

/** Nothing was written by the readers. */
async function assertUntouched(folder: string, failures: string[]): Promise<void> {
  const known = new Set([
    "samples",
    "broke",
    ...Object.values(READERS).map(({ file }) => file.split("/")[0]),
  ]);
  for await (const { name } of Deno.readDir(folder)) {
    if (!known.has(name)) failures.push(`a reader left ${name} behind`);
  }
}

/**
 * Files that broke a reader once, FORMAT-endless-N or FORMAT-unclear-N: those that apache-arrow went round in for 15 s, and those
 * that ended in an error of the engine's or of several lines (the readers before 7a4ac54, this campaign with seed 11).
 */
async function corpusOf(format: string): Promise<Mutation[]> {
  const found: Mutation[] = [];
  for await (const { name } of Deno.readDir(CORPUS)) {
    if (!name.startsWith(`${format.replaceAll(" ", "_")}-`)) continue;
    found.push({ what: `corpus ${name}`, bytes: await Deno.readFile(new URL(name, CORPUS)) });
  }
  return found.sort((a, b) => a.what < b.what ? -1 : 1);
}

/** A good file of every format. */
async function writeSamples(folder: string): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  await Deno.mkdir(folder, { recursive: true });
  const { width, height, rgb, categoryMask } = renderScene(3), text = new TextEncoder();
  const picture = sharp(rgb, { raw: { width, height, channels: 3 } }), random = seededRandom(1);
  const matrix = (rows: number, cols: number) => ({
    data: fillRandom(new Float32Array(rows * cols), random),
    rows,
    cols,
  });
  const read = (name: string) => Deno.readFile(`${folder}/${name}`);
  await writeNpy(`${folder}/a.npy`, matrix(9, 7).data, [9, 7]);
  const image = { width: 24, height: 16, data: new Uint8Array(24 * 16 * 3).fill(70) };
  const mask = { width: 24, height: 16, data: Uint8Array.from({ length: 384 }, (_, i) => i % 2) };
  await writeImagenetSegmentation(`${folder}/a.mat`, [0, 1].map((i) => ({ id: `n${i}`, image, mask })));
  const features = await createFeatures(`${folder}/f.arrow`, 3, 6, "float16", { model: "m" });
  const rows = { image: Int32Array.of(0, 0, 1), token: Int16Array.of(0, 1, 0), vectors: matrix(3, 6).data };
  await features.write(rows);
  await features.write(rows);
  await features.finish();
  const slots = [{ name: "a L1", width: 4 }, { name: "a L2", width: 4 }];
  await saveAlign(`${folder}/align.arrow`, {
    model: { slots, transforms: matrix(8, 5), beta: matrix(5, 3), epsilon: new Float32Array(3) },
    ...{ options: { seed: 0 }, history: [] },
  });
  const table = new Table({
    name: vectorFromArray(["a", "b", "c"]),
    x: vectorFromArray([1.5, 2, 3]),
    y: vectorFromArray([0.5, 0, 9]),
  });
  const preprocessor = await Deno.readFile(
    new URL("../../fixtures/models/mae_tiny.preprocessor.json", import.meta.url),
  );
  const record = {
    name: "a",
    source: "a/b",
    commit: null,
    license: "MIT",
    registers: 4,
    files: { "a.onnx": "0".repeat(64) },
  };
  const results = {
    ...{
      schema: 1,
      version: "1",
      deno: "2",
      adapter: { description: "x", software: true },
      seed: 0,
      command: "c",
    },
    inputs: { models: ["a"], images: 1, nodes: 1, data: "embedded" },
    ...{ timings: { a: 1 }, memory: { peak_rss_mb: 1, peak_gpu_mb: 1 }, experiments: {} },
  };
  return {
    jpeg: new Uint8Array(await picture.clone().jpeg().toBuffer()),
    png: new Uint8Array(await picture.clone().png().toBuffer()),
    "palette png": encodePalettePng({ width, height, data: categoryMask }) as Uint8Array<ArrayBuffer>,
    onnx: await Deno.readFile(new URL("../golden/onnx/sdpa_ts14.onnx", import.meta.url)),
    npy: await read("a.npy"),
    "pickled npy": encodePickledMapping(new Map([[0, "Unknown"], [1, "OFA"], [2, "FFA-1"]])) as Uint8Array<
      ArrayBuffer
    >,
    mat: await read("a.mat"),
    features: await read("f.arrow"),
    align: await read("align.arrow"),
    "embedding arrow": tableToIPC(table, "file") as Uint8Array<ArrayBuffer>,
    "embedding npy": await read("a.npy"),
    csv: text.encode('name,x,y\na,1,2\n"b, c",3,4\nd,5,6e-3\n'),
    "preprocessor json": preprocessor,
    "record json": text.encode(JSON.stringify(record)),
    "results json": text.encode(JSON.stringify(results, null, 2)),
    "voc txt": text.encode("one\ntwo\n"),
  };
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A PNG header that claims so many pixels, its checksum right. */
function pngOf(width: number, height: number): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.of(
    0x89,
    0x50,
    0x4e,
    0x47,
    13,
    10,
    26,
    10,
    0,
    0,
    0,
    13,
    0x49,
    0x48,
    0x44,
    0x52,
    ...new Array(17).fill(0),
  );
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  bytes.set([8, 3, 0, 0, 0], 24);
  let crc = ~0;
  for (const byte of bytes.subarray(12, 29)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  view.setUint32(29, ~crc >>> 0);
  return bytes;
}

function npyOf(header: string): Uint8Array<ArrayBuffer> {
  const text = bytesOf(header.padEnd(118) + "\n"), bytes = new Uint8Array(10 + text.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  bytes.set(text, 10);
  return bytes;
}

const npyBombs = (): Mutation[] =>
  [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000000000, 4), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f4', 'fortran_order': __import__('os'), 'shape': (1, 1), }",
    "{'descr': '<f4', 'shape': ((((((1,),),),),),), }",
  ].map((header) => ({ what: header, bytes: npyOf(header) }));

const jsonBombs = (): Mutation[] => [
  { what: "200,000 brackets", bytes: bytesOf("[".repeat(200_000)) },
  { what: "a nest of objects", bytes: bytesOf('{"a":'.repeat(50_000) + "1" + "}".repeat(50_000)) },
  { what: "__proto__", bytes: bytesOf('{"__proto__": {"files": {}}, "constructor": 1}') },
  ...["null", "[]", "3", '"x"', "{}", "", "\ufeff{}", '{"a":1e999}'].map((text) => ({
    what: text,
    bytes: bytesOf(text),
  })),
];

/** Files made to do harm, by format. */
const BOMBS: Record<string, () => Mutation[]> = {
  png: () =>
    [[100_000, 100_000], [1e6, 1e6], [2 ** 31 - 1, 1], [0, 5]].map(([w, h]) => ({
      what: `${w} × ${h} pixels`,
      bytes: pngOf(w, h),
    })),
  "palette png": () =>
    [[100_000, 100_000], [1e6, 1e6], [0, 5]].map(([w, h]) => ({
      what: `${w} × ${h} pixels`,
      bytes: pngOf(w, h),
    })),
  npy: npyBombs,
  "embedding npy": npyBombs,
  onnx: () => [
    { what: "a nest of graphs", bytes: nested(20_000) },
    {
      what: "a length of 2⁶³",
      bytes: Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
    },
    { what: "zeros", bytes: new Uint8Array(4096) },
  ],
  csv: () => [
    { what: "a million commas", bytes: bytesOf(",".repeat(1e6)) },
    { what: "a quote without end", bytes: bytesOf('"' + "x,\n".repeat(100_000)) },
    { what: "NUL bytes", bytes: new Uint8Array(10_000) },
    { what: "NaN and Infinity", bytes: bytesOf("x,y\nNaN,1\nInfinity,2\n") },
    { what: "1e400", bytes: bytesOf("x,y\n1e400,1\n") },
  ],
  "preprocessor json": jsonBombs,
  "record json": () => [...jsonBombs(), {
    what: "a file above the folder",
    bytes: bytesOf(
      JSON.stringify({ name: "a", source: "b", license: "c", files: { "../../x.onnx": "0".repeat(64) } }),
    ),
  }],
  "results json": jsonBombs,
  "voc txt": () =>
    ["../../../etc/passwd\n", "/etc/passwd\n", "a/b\n", "..\n", "\u0000\n", "a\n".repeat(2e5)].map((
      text,
    ) => ({
      what: JSON.stringify(text.slice(0, 30)),
      bytes: bytesOf(text),
    })),
};

/** Protobuf fields 7 (graph) in one another. */
function nested(depth: number): Uint8Array<ArrayBuffer> {
  const parts: number[][] = [];
  let length = 0;
  for (let i = 0; i < depth; i++) {
    const varint: number[] = [];
    for (let value = length;; value >>>= 7) {
      varint.push(value > 127 ? (value & 127) | 128 : value);
      if (value <= 127) break;
    }
    parts.push([0x3a, ...varint]);
    length += 1 + varint.length;
  }
  return Uint8Array.from(parts.reverse().flat());
}
