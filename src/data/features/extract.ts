/** Features of every layer of a vision transformer. */
import { dirname } from "node:path";
import { writeFileAtomic } from "../files/atomic_write.ts";
import type { FileLook } from "../files/file_look.ts";
import {
  describeShard,
  type FeatureShard,
  type ImageRange,
  shardName,
  shardRanges,
} from "./feature_shards.ts";
import { createFeatures, type FeatureWriter } from "./feature_store.ts";
import { mapConcurrently } from "../files/map_concurrently.ts";
import { type ExtractOptions, openGraph, streamFeatures } from "./stream_features.ts";
import {
  brokenOf,
  covers,
  emptied,
  type FeatureManifest,
  isWholeManifest,
  joinParts,
  LANES,
  makeFolder,
  nameInFolder,
  noted,
  partPath,
  readManifest,
  shardOf,
  writeHeader,
} from "./extract_parts.ts";

/**
 * Runs a vision transformer over images and stores, for every layer, the attention block's output after its projection,
 * before the residual add (METHOD, `V_l`), or another `hook` of the block: class token and patches, register tokens dropped. A model without class token
 * gets the mean of its patches in that place, which is what such models pool to.
 *
 * Every layer is a folder of shards, each of a range of images (METHOD's tokens × images, `SHARD_IMAGES` at a time).
 * The manifest, rewritten after every range, has the SHA-256 of each shard: what it covers and finds unchanged on disk, as
 * `brokenFiles` does, is not computed again, so that a run that was stopped goes on where it was, and a shard that was lost, cut or altered is
 * made again, alone with the others of its range. Ranges that `extractRange` has left are taken over.
 *
 * @returns layers, heads, width, tokens, and the shards
 * @throws Error one sentence that names the model, or the image, layer and token, that is not usable
 */
export async function extractFeatures(options: ExtractOptions): Promise<FeatureManifest> {
  const { outDir, images, shardImages, imagesSha256 } = options;
  const manifestPath = `${outDir}/manifest.json`;
  const known = await readManifest(manifestPath), { wanted } = await openGraph(options);
  const ranges = shardRanges(images.length, shardImages);
  const finishedOnce = known && covers(known, wanted) ? known : null;
  const names = imagesSha256 === undefined ? images.map(({ name }) => name) : [];
  const earlier = finishedOnce ?? await joinParts(outDir, ranges, wanted, names);
  const broken = new Set(earlier && (await brokenOf(outDir, earlier)).map(({ file }) => file));
  const finished = ranges.map((range) => {
    const shards = earlier?.layers.map((layer) => shardOf(layer.shards, range)) ?? [];
    return shards.length > 0 && shards.every((shard) => shard && !broken.has(nameInFolder(shard)));
  });
  const missing = ranges.filter((_, i) => !finished[i]);
  if (earlier && missing.length === 0) {
    if (!finishedOnce) await writeFileAtomic(manifestPath, JSON.stringify(earlier, null, 2));
    await writeHeader(outDir, earlier);
    return earlier;
  }
  if (imagesSha256 !== undefined) throw await withoutRanges(outDir, wanted.model, missing, ranges.length);
  await makeFolder(outDir);
  let writers: FeatureWriter[] = [], manifest: FeatureManifest | undefined;
  const unfinished = new Set<FeatureWriter>();
  try {
    await streamFeatures(options, {
      async begin(fresh) {
        const kept = ranges.filter((_, i) => finished[i]);
        manifest = {
          ...fresh,
          layers: fresh.layers.map((layer, l) => ({
            ...layer,
            shards: kept.map((range) => shardOf(earlier!.layers[l].shards, range)!),
          })),
        };
        for (const { path } of manifest.layers) await emptied(path, kept.map(shardName));
      },
      async beginRange(range) {
        writers = [];
        for (const { layer, path } of manifest!.layers) {
          const name = `${path}/${shardName(range)}`;
          writers.push(
            await createFeatures(name, layer, manifest!.width, options.dtype, noted(manifest!, range)),
          );
          unfinished.add(writers.at(-1)!);
        }
      },
      rows: (l, rows) => writers[l].write(rows),
      async endRange(range) {
        const mine = writers; // the next range's may be made meanwhile
        const described = await mapConcurrently(mine.length, LANES, async (l) => {
          await mine[l].finish();
          unfinished.delete(mine[l]);
          return await describeShard(`${manifest!.layers[l].path}/${shardName(range)}`, range);
        });
        for (const [l, { shards }] of manifest!.layers.entries()) {
          shards.push(described[l]);
          shards.sort((a, b) => a.first - b.first);
        }
        await writeFileAtomic(manifestPath, JSON.stringify(manifest, null, 2));
      },
    }, missing);
    await writeHeader(outDir, manifest!);
    return manifest!;
  } catch (error) {
    for (const writer of unfinished) await writer.abandon();
    for (const { path } of manifest?.layers ?? []) await Deno.remove(path).catch(() => {}); // where it is empty
    throw error;
  }
}

/** Forgets ranges whose shards are not as they were written, so that they count as missing. @returns the error that says so */
async function withoutRanges(
  outDir: string,
  model: string,
  missing: readonly ImageRange[],
  count: number,
): Promise<Error> {
  for (const range of missing) await Deno.remove(partPath(outDir, range)).catch(() => {}); // was not there
  await Deno.remove(`${outDir}/manifest.json`).catch(() => {});
  return new Error(
    `${missing.length} of ${count} shards of ${model} are missing or damaged, the first that of image ${
      missing[0].first
    }: submit them with --resume.`,
  );
}

/**
 * Extracts one range of images alone, to be joined by `extractFeatures` of the same options. A range whose own manifest is
 * there and whose shards are whole is left as it is, so that several processes may be given the same one.
 *
 * @param range one of `shardRanges` of the images and `shardImages`
 * @throws Error as `extractFeatures`
 */
export async function extractRange(options: ExtractOptions, range: ImageRange): Promise<FeatureManifest> {
  const { outDir } = options, path = partPath(outDir, range);
  const known = await readManifest(path), { wanted } = await openGraph(options);
  if (known && covers(known, wanted) && await isWholeManifest(known)) return known;
  await makeFolder(`${outDir}/parts`);
  let writers: FeatureWriter[] = [], manifest: FeatureManifest | undefined;
  try {
    await streamFeatures(options, {
      async begin(fresh) {
        manifest = fresh;
        for (const { layer, path } of fresh.layers) {
          await makeFolder(path);
          const name = `${path}/${shardName(range)}`;
          writers.push(await createFeatures(name, layer, fresh.width, options.dtype, noted(fresh, range)));
        }
      },
      rows: (l, rows) => writers[l].write(rows),
    }, [range]);
    for (const writer of writers) await writer.finish();
    writers = [];
    for (const { path, shards } of manifest!.layers) {
      shards.push(await describeShard(`${path}/${shardName(range)}`, range));
    }
    await writeFileAtomic(path, JSON.stringify({ ...manifest, images: [] }, null, 2));
    return manifest!;
  } catch (error) {
    for (const writer of writers) await writer.abandon();
    throw error;
  }
}

/**
 * Says of ranges whether their own manifest is there, and their shards as far as `look` looks. Where that is at names, the
 * first manifest that can be read says which layers there are, and no other one is read.
 */
export function extractedRanges(outDir: string, look: FileLook): (range: ImageRange) => boolean {
  let seesOf: ((name: string) => boolean)[] | undefined;
  return (range) => {
    const path = partPath(outDir, range);
    if (!look.sees(path)) return false;
    if (seesOf && !look.sizes) {
      const name = shardName(range);
      return seesOf.every((sees) => sees(name));
    }
    const files = shardsNoted(path).map((shard) => ({
      path: `${outDir}/${nameInFolder(shard)}`,
      bytes: shard.bytes,
    }));
    if (files.length > 0) seesOf ??= files.map(({ path }) => look.within(dirname(path)));
    return files.length > 0 && files.every(({ path, bytes }) => look.sees(path, bytes));
  };
}

/** The shards of a range's manifest; none where it cannot be read. */
function shardsNoted(path: string): FeatureShard[] {
  try {
    const manifest: FeatureManifest = JSON.parse(Deno.readTextFileSync(path));
    return manifest.layers.flatMap(({ shards }) => shards);
  } catch {
    return [];
  }
}
