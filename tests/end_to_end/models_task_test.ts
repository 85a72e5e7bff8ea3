import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMIT, type HubServer, sha256, withHubServer } from "../support/hub_server.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const TASK = new URL("../../tasks/models.ts", import.meta.url).pathname;
const EXPORTS = new URL("../golden/onnx_exports", import.meta.url).pathname;
const PERMISSIONS = ["read", "write", "env", "sys", "ffi", "net"].map((name) => `--allow-${name}`);
const MODEL = await Deno.readFile(`${EXPORTS}/timm_layer_scale_registers_dynamo20.onnx`);
const CONFIG = '{"size": 16, "resample": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}';

function command(env: Record<string, string>, args: string[]): Deno.Command {
  const proxies = {
    HTTP_PROXY: "",
    HTTPS_PROXY: "",
    http_proxy: "",
    https_proxy: "",
    HF_TOKEN: "",
    HF_HUB_OFFLINE: "",
  };
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", ...PERMISSIONS, TASK, ...args],
    env: { ...proxies, NO_PROXY: "127.0.0.1", NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

async function models(env: Record<string, string>, ...args: string[]) {
  const { code, stdout, stderr } = await command(env, args).output();
  const decoder = new TextDecoder();
  const errors = decoder.decode(stderr).split("\n").filter((line) =>
    line !== "" && !line.startsWith("download: ")
  );
  return { code, text: decoder.decode(stdout), errors };
}

function withModel(body: (server: HubServer, env: Record<string, string>, out: string) => Promise<void>) {
  return withHubServer((server) =>
    inTemporaryFolder(async (dir) => {
      server.files.set("onnx/model.onnx", MODEL);
      server.files.set("preprocessor_config.json", new TextEncoder().encode(CONFIG));
      await body(server, { HF_ENDPOINT: server.endpoint, HF_HOME: `${dir}/home` }, `${dir}/models`);
    })
  );
}

Deno.test("models add goes on after it was killed, models list checks the files, and offline the cache is enough", () =>
  withModel(async (server, env, out) => {
    let hold = () => {};
    const isHeld = new Promise<void>((resolve) => hold = resolve);
    server.fault = ({ server, method }) => {
      if (server !== "files" || method !== "GET") return null;
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(MODEL.slice(0, 10_000)),
        pull: hold,
        cancel() {},
      });
      return new Response(body, { headers: { "content-length": String(MODEL.length) } });
    };
    const first = command(env, ["add", "org/tiny", "--out", out]).spawn();
    await isHeld;
    const part = `${env.HF_HOME}/hub/models--org--tiny/blobs/${sha256(MODEL)}.incomplete`;
    while (await Deno.stat(part).then(({ size }) => size < 10_000, () => true)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    first.kill("SIGKILL");
    await first.output();
    assertEquals(await Deno.stat(out).then(() => true, () => false), false);

    server.fault = () => null;
    const added = await models(env, "add", "org/tiny", "--out", out);
    assertEquals([added.code, added.errors], [0, []]);
    assertEquals(server.seen.findLast(({ server }) => server === "files")!.range, "bytes=10000-");
    assertStringIncludes(added.text, "tiny: 2 layers, unknown license, from org/tiny (main)");
    for (
      const line of [
        `commit ${COMMIT}`,
        `SHA-256 ${sha256(MODEL)} tiny.onnx`,
        `--model ${out}/tiny/tiny.onnx`,
      ]
    ) {
      assertStringIncludes(added.text, line);
    }
    assertStringIncludes(
      added.text,
      "images: 16 × 16 (bilinear), × 0.003922, mean 0.5 0.5 0.5, deviation 0.5 0.5 0.5",
    );

    const { text } = await models(env, "list", "--out", out);
    assertStringIncludes(text, "tiny: files as recorded");
    assertStringIncludes(
      text,
      "dinov2_reg_vit_b14: DINOv2 ViT-B/14 with registers, 4 registers, Apache-2.0 license",
    );
    const before = server.seen.length;
    const offline = await models({ ...env, HF_HUB_OFFLINE: "1" }, "add", "org/tiny", "--out", out);
    assertEquals([offline.code, offline.text, server.seen.length], [0, added.text, before]);
  }));

Deno.test("models add goes through the proxy of the environment", () =>
  withModel(async (server, env, out) => {
    const { port } = new URL(server.endpoint);
    const proxied = { ...env, HF_ENDPOINT: "http://hub.invalid", HTTP_PROXY: `http://127.0.0.1:${port}` };
    const { code, errors } = await models(proxied, "add", "org/tiny", "--out", out);
    assertEquals([code, errors], [0, []]);
    assert(server.seen.some(({ path }) => path === "/org/tiny/resolve/main/onnx/model.onnx"));
  }));

Deno.test("models says one sentence for what it cannot do and exits with 1", async (t) => {
  const cases: [string, string[], string][] = [
    ["no model", ["add"], "models add needs a model: see --help."],
    [
      "an unknown command",
      ["delete"],
      'There is no command "delete": give add, list or remove (--help says more).',
    ],
    ["nothing to remove", ["remove"], "models remove needs a model: see --help."],
    ["a model that is not there", ["remove", "tiny"], 'There is no model "tiny" in '],
    [
      "an unknown option",
      ["add", "org/tiny", "--names", "a"],
      "There is no option --names: did you mean --name?",
    ],
    [
      "registers in words",
      ["add", "org/tiny", "--registers", "four"],
      '--registers is "four": give a whole number',
    ],
    ["an unknown model", ["add", "org/absent"], "answers 401 (not allowed)"],
  ];
  for (const [what, args, sentence] of cases) {
    await t.step(what, () =>
      withModel(async (_, env, out) => {
        const { code, errors } = await models(env, ...args, "--out", out);
        assertEquals([code, errors.length], [1, 1], errors.join("\n"));
        assertStringIncludes(errors[0], sentence);
        assertEquals(await Deno.stat(out).then(() => true, () => false), false);
      }));
  }
});

Deno.test("models says which places on the hub were not verified, and that none of MAE is known", () =>
  withModel(async (_, env, out) => {
    const { code, errors } = await models(env, "add", "clip_vit_b16", "--out", out);
    assertEquals([code, errors.length], [1, 2]);
    assertEquals(
      errors[0],
      "clip_vit_b16: Xenova/clip-vit-base-patch16, not verified here: id and file as other projects name them",
    );
    const { text } = await models(env, "list", "--out", out);
    assertEquals(text.match(/not verified here/g)?.length, 2);
    assertStringIncludes(text, "dinov2_vits14_saliency: DINOv2 ViT-S/14, saliency-tuned, 0 registers, MIT");
    assertStringIncludes(
      text,
      "it is not the published DINOv2: its author fine-tuned the late layers for saliency",
    );
    assertStringIncludes(text, "no export on the hub is known here");
    const help = (await models(env, "--help")).text.replaceAll("\n", " ");
    assertStringIncludes(
      help,
      "clip_vit_b16 and dinov2_reg_vit_b14 are those that other projects use, and were not verified",
    );
    assertStringIncludes(help, "MAE: no usable export on the hub is known");
  }));

Deno.test("models lists its options", async () => {
  for (const args of [["--help"], ["add", "--help"], []]) {
    const { code, text } = await models({}, ...args);
    assertEquals(code, 0);
    for (
      const word of ["--name", "--registers", "--sha256", "HF_ENDPOINT", "HTTPS_PROXY", "HF_HUB_OFFLINE"]
    ) {
      assertStringIncludes(text, word);
    }
  }
});
