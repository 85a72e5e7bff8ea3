import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { fetchHubFile, type Hub, hubFromEnvironment } from "../../../src/data/hub/hub.ts";
import { assertSafe, findCached, hubCacheFolder } from "../../../src/data/hub/hub_cache.ts";
import { COMMIT, gitSha1, type HubServer, sha256, withHubServer } from "../../support/hub_server.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const SMALL = new TextEncoder().encode('{"a": 1}'), LARGE = new Uint8Array(5000).fill(7);
const wanted = { id: "org/tiny", revision: "main", file: "onnx/model.onnx" };

function withHub(body: (server: HubServer, hub: Hub, cache: string) => Promise<void>): Promise<void> {
  return withHubServer((server) =>
    inTemporaryFolder(async (dir) => {
      server.files.set("onnx/model.onnx", LARGE).set("config.json", SMALL);
      const cache = `${dir}/hub`;
      await body(server, { endpoint: server.endpoint, cache, offline: false, pause: async () => {} }, cache);
    })
  );
}

async function failure(hub: Hub, file = wanted): Promise<string> {
  return (await assertRejects(() => fetchHubFile(hub, file), Error)).message;
}

Deno.test("fetchHubFile() fills the cache in the hub's own layout", () =>
  withHub(async (_, hub, cache) => {
    const folder = `${cache}/models--org--tiny`;
    const large = await fetchHubFile(hub, wanted);
    const small = await fetchHubFile(hub, { ...wanted, file: "config.json" });
    assertEquals(large, { path: `${folder}/snapshots/${COMMIT}/onnx/model.onnx`, commit: COMMIT });
    assertEquals(await Deno.readLink(large!.path), `../../../blobs/${sha256(LARGE)}`);
    assertEquals(await Deno.readLink(small!.path), `../../blobs/${gitSha1(SMALL)}`);
    assertEquals(await Deno.readTextFile(`${folder}/refs/main`), COMMIT);
    assertEquals(await Deno.readFile(large!.path), LARGE);
    assertEquals(await Deno.readFile(small!.path), SMALL);
  }));

Deno.test("fetchHubFile() downloads no content twice, and offline asks nothing", () =>
  withHub(async (server, hub) => {
    const first = await fetchHubFile(hub, wanted);
    const before = server.seen.length;
    assertEquals(await fetchHubFile(hub, wanted), first);
    assertEquals(server.seen.slice(before).map(({ method, server }) => [method, server]), [["HEAD", "hub"]]);
    const offline = { ...hub, offline: true, endpoint: "http://127.0.0.1:1" };
    assertEquals(await fetchHubFile(offline, wanted), first);
    assertEquals(await fetchHubFile(offline, { ...wanted, revision: COMMIT }), first);
    assertEquals(await fetchHubFile(offline, { ...wanted, revision: "dev" }), null);
    assertEquals(await fetchHubFile(offline, { ...wanted, file: "other.onnx" }), null);
  }));

Deno.test("fetchHubFile() follows a model that was renamed and goes on with a stopped download", () =>
  withHub(async (server, hub, cache) => {
    const blobs = `${cache}/models--org--old/blobs`;
    await Deno.mkdir(blobs, { recursive: true });
    await Deno.writeFile(`${blobs}/${sha256(LARGE)}.incomplete`, LARGE.subarray(0, 4000));
    const { path } = (await fetchHubFile(hub, { ...wanted, id: "org/old" }))!;
    assertEquals(await Deno.readFile(path), LARGE);
    assertEquals(server.seen.at(-1)!.range, "bytes=4000-");
  }));

Deno.test("fetchHubFile() tells a missing file from a missing model", () =>
  withHub(async (_, hub) => {
    assertEquals(await fetchHubFile(hub, { ...wanted, file: "absent.onnx" }), null);
    assertStringIncludes(await failure(hub, { ...wanted, id: "org/absent" }), "answers 401 (not allowed)");
  }));

Deno.test("fetchHubFile() sends the access token to the hub only", () =>
  withHub(async (server, hub) => {
    await fetchHubFile({ ...hub, token: "secret" }, wanted);
    for (const { server: name, authorization } of server.seen) {
      assertEquals(authorization, name === "hub" ? "Bearer secret" : null);
    }
  }));

Deno.test("fetchHubFile() refuses wrong content, and names of a hostile server", async (t) => {
  const answer = (headers: Record<string, string>) => new Response(null, { headers });
  await t.step("content", () =>
    withHub(async (server, hub, cache) => {
      server.fault = ({ server }) => server === "files" ? new Response(new Uint8Array(5000)) : null;
      assertStringIncludes(await failure(hub), `expected ${sha256(LARGE)}: it was deleted`);
      assertEquals([...Deno.readDirSync(`${cache}/models--org--tiny/blobs`)], []);
      assertEquals(await findCached(cache, wanted), null);
    }));
  await t.step("content of a small file", () =>
    withHub(async (server, hub) => {
      server.fault = ({ method }) => method === "GET" ? new Response('{"a": 2}') : null;
      assertStringIncludes(
        await failure(hub, { ...wanted, file: "config.json" }),
        `expected ${gitSha1(SMALL)}`,
      );
    }));
  await t.step("name of the content", () =>
    withHub(async (server, hub, cache) => {
      server.fault = () => answer({ etag: '"../../../evil"', "x-repo-commit": COMMIT });
      assertEquals(
        await failure(hub),
        'The hub calls the content of onnx/model.onnx "../../../evil", expected 40 or 64 hexadecimal digits: ' +
          "check HF_ENDPOINT.",
      );
      assert(!await Deno.stat(cache).then(() => true, () => false));
    }));
  await t.step("name of the commit", () =>
    withHub(async (server, hub, cache) => {
      server.fault = ({ method }) =>
        method === "HEAD" ? answer({ etag: `"${sha256(LARGE)}"`, "x-repo-commit": "../../../evil" }) : null;
      assertEquals(
        await failure(hub),
        'The hub calls the commit of org/tiny "../../../evil", expected 40 hexadecimal digits: check HF_ENDPOINT.',
      );
      assert(!await Deno.stat(cache).then(() => true, () => false));
    }));
});

Deno.test("fetchHubFile() refuses links that lead out of the cache", async (t) => {
  await t.step("a file of a snapshot", () =>
    withHub(async (_, hub, cache) => {
      const { path } = (await fetchHubFile(hub, wanted))!;
      await Deno.remove(path);
      await Deno.writeTextFile(`${cache}/../other`, "mine");
      await Deno.symlink(await Deno.realPath(`${cache}/../other`), path);
      assertEquals(
        await failure({ ...hub, offline: true }),
        `${path} leads out of the cache of its repository: remove it.`,
      );
    }));
  await t.step("a blob", () =>
    withHub(async (_, hub, cache) => {
      const blobs = `${cache}/models--org--tiny/blobs`;
      await Deno.mkdir(blobs, { recursive: true });
      await Deno.symlink("/etc/hostname", `${blobs}/${sha256(LARGE)}`);
      assertStringIncludes(
        await failure(hub),
        "is not a plain file, expected a blob of the hub's cache: remove it.",
      );
    }));
  await t.step("a folder", () =>
    withHub(async (_, hub, cache) => {
      await Deno.mkdir(`${cache}/models--org--tiny/snapshots/${COMMIT}`, { recursive: true });
      await Deno.mkdir(`${cache}/../outside`);
      await Deno.symlink(`${cache}/../outside`, `${cache}/models--org--tiny/snapshots/${COMMIT}/onnx`);
      assertStringIncludes(await failure(hub), "leads out of the cache of its repository: remove it.");
      assertEquals([...Deno.readDirSync(`${cache}/../outside`)], []);
    }));
});

const hostile: [string, Partial<typeof wanted>, string][] = [
  ["a file above", { file: "../a.onnx" }, 'The file name "../a.onnx" leaves its folder: it is not taken.'],
  ["a file within and above", { file: "a/../../b.onnx" }, "leaves its folder"],
  ["an absolute file", { file: "/etc/a.onnx" }, "leaves its folder"],
  ["a Windows path", { file: "C:\\a.onnx" }, "leaves its folder"],
  ["an empty part", { file: "a//b.onnx" }, "leaves its folder"],
  ["a zero byte", { file: "a\0b.onnx" }, "leaves its folder"],
  ["an id above", { id: "../a" }, '"../a" is not the id of a model on the hub: give org/name.'],
  ["an id of three", { id: "a/b/c" }, "is not the id of a model on the hub"],
  ["an id with the cache's separator", { id: "a--b/c" }, "is not the id of a model on the hub"],
  ["a revision above", { revision: "../main" }, 'The revision "../main" is not a valid name'],
];
for (const [what, part, sentence] of hostile) {
  Deno.test(`assertSafe() refuses ${what}`, () => {
    assertStringIncludes(assertThrows(() => assertSafe({ ...wanted, ...part }), Error).message, sentence);
  });
}

Deno.test("hubFromEnvironment() reads the hub's own variables", () => {
  const of = (values: Record<string, string>) =>
    hubFromEnvironment((name) => ({ HOME: "/home/a", ...values })[name]);
  const standard = { endpoint: "https://huggingface.co", offline: false, token: undefined };
  assertEquals(of({}), { ...standard, cache: "/home/a/.cache/huggingface/hub" });
  assertEquals(of({ HF_ENDPOINT: "https://mirror.example/", HF_HUB_OFFLINE: "1", HF_TOKEN: "t" }), {
    endpoint: "https://mirror.example",
    offline: true,
    token: "t",
    cache: "/home/a/.cache/huggingface/hub",
  });
  const cache = (values: Record<string, string>) => hubCacheFolder((name) => values[name]);
  assertEquals(cache({ HF_HOME: "/b", HOME: "/a" }), "/b/hub");
  assertEquals(cache({ HF_HUB_CACHE: "/c", HF_HOME: "/b" }), "/c");
  assertEquals(cache({ XDG_CACHE_HOME: "/d", HOME: "/a" }), "/d/huggingface/hub");
});
