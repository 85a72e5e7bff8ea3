import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { type Download, downloadFile } from "../../../src/data/hub/download.ts";
import { sendRequest } from "../../../src/data/hub/http_request.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { cutOff, type HubServer, ranged, sha256, withHubServer } from "../../support/hub_server.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { testSeed } from "../../support/random.ts";

const next = seededRandom(testSeed);
const BYTES = Uint8Array.from({ length: 50_000 }, () => 256 * next());

/** Runs `body` with a file on a server and what downloads it; pauses are noted and not waited. */
function withFile(
  body: (test: { hub: HubServer; download: Download; pauses: number[]; dir: string }) => Promise<void>,
): Promise<void> {
  return withHubServer((hub) =>
    inTemporaryFolder(async (dir) => {
      hub.files.set("file", BYTES);
      const pauses: number[] = [];
      const pause = (milliseconds: number) => (pauses.push(milliseconds), Promise.resolve());
      const url = `${hub.endpoint}/org/tiny/resolve/main/file`;
      const expected = { size: BYTES.length, sha256: sha256(BYTES) };
      await body({ hub, dir, pauses, download: { url, to: `${dir}/file`, expected, resume: true, pause } });
    })
  );
}

async function failure(download: Download): Promise<string> {
  const { message } = await assertRejects(() => downloadFile(download), Error);
  assert(!message.includes("\n"), message);
  return message;
}

function names(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}

Deno.test("downloadFile() follows redirects, tells its progress, and leaves the file alone", () =>
  withFile(async ({ hub, download, dir }) => {
    const progress: [number, number | null][] = [];
    await downloadFile({ ...download, onProgress: (...told) => progress.push(told) });
    assertEquals(await Deno.readFile(`${dir}/file`), BYTES, `seed ${testSeed}`);
    assertEquals(names(dir), ["file"]);
    assertEquals(progress.at(-1), [BYTES.length, BYTES.length]);
    assertEquals(hub.seen.map(({ server }) => server), ["hub", "files"]);
  }));

Deno.test("downloadFile() goes on where a broken connection stopped", () =>
  withFile(async ({ hub, download, dir }) => {
    hub.fault = ({ server, range }) => server === "files" && !range ? cutOff(BYTES, 12_345) : null;
    await downloadFile(download);
    assertEquals(await Deno.readFile(`${dir}/file`), BYTES, `seed ${testSeed}`);
    const ranges = hub.seen.filter(({ server }) => server === "files").map(({ range }) => range);
    assertEquals(ranges, [null, "bytes=12345-"]);
  }));

Deno.test("downloadFile() goes on where an earlier run stopped, and only when the part is of the same content", () =>
  withFile(async ({ hub, download, dir }) => {
    await Deno.writeFile(`${dir}/file.incomplete`, BYTES.subarray(0, 40_000));
    await downloadFile(download);
    assertEquals(hub.seen.at(-1)!.range, "bytes=40000-");
    assertEquals(await Deno.readFile(`${dir}/file`), BYTES);
    await Deno.writeFile(`${dir}/file.incomplete`, new Uint8Array(40_000));
    await downloadFile({ ...download, resume: false });
    assertEquals(hub.seen.at(-1)!.range, null);
    assertEquals(await Deno.readFile(`${dir}/file`), BYTES);
  }));

Deno.test("downloadFile() begins anew where the server takes no ranges, or the part is too long", async (t) => {
  await t.step("no ranges", () =>
    withFile(async ({ hub, download, dir }) => {
      await Deno.writeFile(`${dir}/file.incomplete`, new Uint8Array(40_000));
      hub.fault = ({ server }) => server === "files" ? new Response(BYTES) : null;
      await downloadFile(download);
      assertEquals(await Deno.readFile(`${dir}/file`), BYTES);
    }));
  await t.step("another range", () =>
    withFile(async ({ hub, download, dir }) => {
      await Deno.writeFile(`${dir}/file.incomplete`, new Uint8Array(40_000));
      hub.fault = ({ server, range }) => server === "files" && range ? cutOff(BYTES, 10, 7) : null;
      await downloadFile(download);
      assertEquals(await Deno.readFile(`${dir}/file`), BYTES);
    }));
  await t.step("too long", () =>
    withFile(async ({ download, dir }) => {
      await Deno.writeFile(`${dir}/file.incomplete`, new Uint8Array(60_000));
      await downloadFile(download);
      assertEquals(await Deno.readFile(`${dir}/file`), BYTES);
    }));
  await t.step("too long where no size is known", () =>
    withFile(async ({ download, dir }) => {
      await Deno.writeFile(`${dir}/file.incomplete`, new Uint8Array(60_000));
      await downloadFile({ ...download, expected: {} });
      assertEquals(await Deno.readFile(`${dir}/file`), BYTES);
    }));
});

Deno.test("downloadFile() keeps the part and says so when connections end again and again", () =>
  withFile(async ({ hub, download, dir, pauses }) => {
    hub.fault = ({ server, range }) =>
      server !== "files" ? null : range ? cutOff(BYTES, 0, 99) : cutOff(BYTES, 99);
    assertMatch(
      await failure(download),
      /^http.*\/file ended after 99 of 50000 bytes, 5 times in a row \(.+\): start again to go on from there\.$/,
    );
    assertEquals(names(dir), ["file.incomplete"]);
    assertEquals(pauses, [1000, 2000, 4000, 8000]);
  }));

Deno.test("downloadFile() gives up a connection on which nothing comes", () =>
  withFile(async ({ hub, download, dir }) => {
    let isFirst = true;
    hub.fault = ({ server }) => {
      if (server !== "files" || !isFirst) return null;
      isFirst = false;
      const body = new ReadableStream({ start: (controller) => controller.enqueue(BYTES.slice(0, 9)) });
      return new Response(body, { headers: { "content-length": String(BYTES.length) } });
    };
    await downloadFile({ ...download, stall: 100 });
    assertEquals(await Deno.readFile(`${dir}/file`), BYTES);
    assertEquals(hub.seen.at(-1)!.range, "bytes=9-");
  }));

Deno.test("downloadFile() deletes what has another hash or size than it should", async (t) => {
  const wrong = BYTES.map((byte, i) => i === 77 ? byte ^ 1 : byte);
  await t.step("SHA-256", () =>
    withFile(async ({ hub, download, dir }) => {
      hub.fault = ({ server }) => server === "files" ? new Response(wrong) : null;
      assertEquals(
        await failure(download),
        `${download.url} has the SHA-256 ${sha256(wrong)}, expected ${sha256(BYTES)}: it was deleted; ` +
          "try again, or choose another mirror with HF_ENDPOINT.",
      );
      assertEquals(names(dir), []);
    }));
  await t.step("git's hash", () =>
    withFile(async ({ download, dir }) => {
      const expected = { gitSha1: "0".repeat(40) };
      assertStringIncludes(await failure({ ...download, expected }), "has the git hash ");
      assertEquals(names(dir), []);
    }));
  await t.step("size", () =>
    withFile(async ({ hub, download, dir }) => {
      const longer = new Uint8Array(BYTES.length + 1);
      hub.fault = ({ server }) => server === "files" ? new Response(longer) : null;
      assertStringIncludes(await failure(download), "has 50001 bytes, expected 50000: it was deleted");
      assertEquals(names(dir), []);
    }));
});

Deno.test("downloadFile() writes through no link that lies in its way", () =>
  withFile(async ({ download, dir }) => {
    await Deno.writeTextFile(`${dir}/other`, "mine");
    await Deno.symlink(`${dir}/other`, `${dir}/file.incomplete`);
    assertEquals(
      await failure(download),
      `${dir}/file.incomplete is not a plain file, expected a part of a download: remove it.`,
    );
    assertEquals(await Deno.readTextFile(`${dir}/other`), "mine");
  }));

Deno.test("sendRequest() waits as long as a busy server says, and asks again", () =>
  withFile(async ({ hub, download, pauses, dir }) => {
    const busy = [
      new Response(null, { status: 429, headers: { "retry-after": "7" } }),
      new Response(null, { status: 503, headers: { "retry-after": new Date(0).toUTCString() } }),
      new Response(null, { status: 500 }),
    ];
    hub.fault = () => busy.shift() ?? null;
    await downloadFile(download);
    assertEquals(pauses, [7000, 0, 4000]);
    assertEquals(await Deno.readFile(`${dir}/file`), BYTES);
  }));

const answers: [string, number, Record<string, string>, string][] = [
  [
    "a file that is not there",
    404,
    {},
    "answers 404 (not found): check the id, the revision and the file name.",
  ],
  ["a long wait", 429, { "retry-after": "3600" }, "answers 429 (too many requests): try again in 3600 s."],
  [
    "a gated model",
    401,
    { "x-error-code": "GatedRepo" },
    "answers 401 (gated): accept the model's license on its page, then set HF_TOKEN to an access token of yours.",
  ],
  [
    "a model that is not there",
    401,
    { "x-error-code": "RepoNotFound" },
    "answers 401 (not allowed): check the id, for the hub answers so for what does not exist, or set HF_TOKEN.",
  ],
  [
    "a revision that is not there",
    404,
    { "x-error-code": "RevisionNotFound" },
    "answers 404 (no such revision)",
  ],
  [
    "a broken server",
    502,
    {},
    "answers 502 (a fault of the server): try again later or set HF_ENDPOINT to a mirror.",
  ],
];
for (const [what, status, headers, sentence] of answers) {
  Deno.test(`sendRequest() says in one sentence that it met ${what}`, () =>
    withFile(async ({ hub, download, dir }) => {
      hub.fault = () => new Response("a page", { status, headers });
      assertStringIncludes(await failure(download), `${download.url} ${sentence}`);
      assertEquals(names(dir), []);
    }));
}

Deno.test("sendRequest() refuses endless redirects, other protocols and addresses that are none", () =>
  withFile(async ({ hub, download }) => {
    const redirected = (location: string) => {
      hub.fault = () => new Response(null, { status: 302, headers: { location } });
      return failure(download);
    };
    assertStringIncludes(await redirected("/again"), "redirects more than 10 times");
    assertEquals(
      await redirected("file:///etc/passwd"),
      '"file:///etc/passwd" is not an http address: give one that begins with https://.',
    );
    const { message } = await assertRejects(() => sendRequest("ftp://a/b"), Error);
    assertEquals(message, '"ftp://a/b" is not an http address: give one that begins with https://.');
  }));

Deno.test("sendRequest() keeps the access token from other servers", () =>
  withFile(async ({ hub, download }) => {
    await downloadFile({ ...download, headers: { authorization: "Bearer secret" } });
    assertEquals(hub.seen.map(({ server, authorization }) => [server, authorization]), [
      ["hub", "Bearer secret"],
      ["files", null],
    ]);
  }));

Deno.test("sendRequest() names a server that cannot be reached", async () => {
  // A port that no program takes by chance, as one that was free just now may be.
  const { message } = await assertRejects(() => sendRequest("http://127.0.0.1:1/a"), Error);
  assertMatch(
    message,
    /^Cannot reach 127\.0\.0\.1:\d+: .+: check the network, HTTPS_PROXY and HF_ENDPOINT; HF_HUB_OFFLINE=1 takes what is in the cache\.$/,
  );
  assert(!message.includes("/a)"), message);
});

Deno.test("ranged() of the test's server answers as the hub's", async () => {
  const asked = (range: string) => ranged(new Request("http://a", { headers: { range } }), BYTES);
  assertEquals([asked("bytes=9-").status, asked("bytes=50000-").status], [206, 416]);
  assertEquals((await asked("bytes=49998-").bytes()).length, 2);
});
