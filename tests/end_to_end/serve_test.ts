import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { serveFile, serveFolder } from "../../tasks/serve.ts";
import { LIVE_POLICY } from "../../tasks/shared/live_policy.ts";

Deno.test("serveFile() gives a folder's files with their types, and nothing outside it", async () => {
  const dir = await Deno.realPath(await Deno.makeTempDir()), root = `${dir}/pages`;
  try {
    await Deno.mkdir(`${root}/sub`, { recursive: true });
    for (const name of ["index.html", "a.mjs", "a.wasm", "a b.onnx", ".hidden", "sub/index.html"]) {
      await Deno.writeTextFile(`${root}/${name}`, name);
    }
    await Deno.writeTextFile(`${dir}/secret`, "secret");
    await Deno.symlink(`${dir}/secret`, `${root}/link`);
    await Deno.symlink(`${root}/a.mjs`, `${root}/inner`);
    const ask = async (path: string, method = "GET", host = "127.0.0.1:1") => {
      const response = await serveFile(root, new Request(`http://${host}${path}`, { method }));
      return [response.status, response.headers.get("content-type")?.split(";")[0], await response.text()];
    };
    const binary = "application/octet-stream";
    assertEquals(await ask("/"), [200, "text/html", "index.html"]);
    assertEquals(await ask("/sub/"), [200, "text/html", "sub/index.html"]);
    assertEquals(await ask("/a.mjs?x=1"), [200, "text/javascript", "a.mjs"]);
    assertEquals(await ask("/a.wasm", "HEAD"), [200, "application/wasm", ""]);
    assertEquals(await ask("/a%20b.onnx"), [200, binary, "a b.onnx"]);
    assertEquals(await ask("/inner"), [200, "text/javascript", "a.mjs"]);
    const outside = ["/link", "/.hidden", "/%2e%2e/secret", "/..%2fsecret", "/sub", "/none", "/%", "/a.mjs/"];
    for (const path of outside) {
      assertEquals(await ask(path), [404, "text/plain", "There is no such file."], path);
    }
    assertEquals((await ask("/", "POST"))[0], 405);
    assertEquals((await ask("/", "GET", "evil.example"))[0], 403);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("serveFolder() says in a sentence that there is no folder, and that a port is in use", async () => {
  await assertRejects(
    () => serveFolder("/there/is/none", 0),
    Error,
    "There is no folder /there/is/none: ./run live writes one.",
  );
  await using server = await serveFolder(".", 0);
  const { port } = server.addr;
  await assertRejects(
    () => serveFolder(".", port),
    Error,
    `Port ${port} is in use: choose another with --port.`,
  );
});

Deno.test("the live page's policy names no other server", () => {
  assertStringIncludes(LIVE_POLICY, "default-src 'none'");
  assertEquals(/https?:|\*/.test(LIVE_POLICY), false);
});
