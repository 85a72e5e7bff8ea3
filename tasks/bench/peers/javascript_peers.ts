/** One peer in JavaScript: `deno run -A javascript_peers.ts tfjs`, asked as tasks/bench/messages.ts says. */
import { createRequire } from "node:module";
import { type Answer, answerRequests, type Request } from "../messages.ts";
import { loadMatrix, saveMatrix } from "../mixture.ts";

console.log = console.warn = console.error; // the harness reads standard output

/** A product of two matrices by a package. */
interface Product {
  version: string;
  /** Multiplies N times and waits for the device. */
  multiply(repeat: number): Promise<void>;
  /** The last result. */
  read(): Promise<Float32Array>;
}

const load = createRequire(import.meta.url);

// deno-lint-ignore no-explicit-any -- the packages are no dependencies of the project, their types neither
type Package = any;

/** TensorFlow.js on WebGPU. */
async function tfjsProduct(files: Record<string, string>): Promise<Product> {
  const tf: Package = load("@tensorflow/tfjs-core");
  load("@tensorflow/tfjs-backend-webgpu");
  if (!await tf.setBackend("webgpu")) throw new Error("tfjs has no WebGPU here.");
  await tf.ready();
  const tensor = async (path: string) => {
    const { data, rows, cols } = await loadMatrix(path);
    return tf.tensor2d(data, [rows, cols]);
  };
  const a = await tensor(files.a), b = await tensor(files.b);
  let out: Package;
  return {
    version: `tfjs ${tf.version_core}`,
    async multiply(repeat) {
      for (let i = 0; i < repeat; i++) {
        out?.dispose();
        out = tf.matMul(a, b);
      }
      const corner = tf.slice(out, [0, 0], [1, 1]); // a value read back is the only way to wait
      await corner.data();
      corner.dispose();
    },
    read: () => out.data(),
  };
}

/** jax-js on WebGPU. */
async function jaxProduct(files: Record<string, string>): Promise<Product> {
  const { href } = new URL("./node_modules/@jax-js/jax/dist/index.js", import.meta.url);
  const jax: Package = await import(href), np = jax.numpy;
  if (!(await jax.init("webgpu")).includes("webgpu")) throw new Error("jax-js has no WebGPU here.");
  jax.defaultDevice("webgpu");
  const array = async (path: string) => {
    const { data, rows, cols } = await loadMatrix(path);
    return np.array(data).reshape([rows, cols]);
  };
  const a = await array(files.a), b = await array(files.b);
  await jax.blockUntilReady([a, b]);
  let outs: Package[] = [];
  const { version } = JSON.parse(
    await Deno.readTextFile(new URL("./node_modules/@jax-js/jax/package.json", import.meta.url)),
  );
  return {
    version: `jax-js ${version}`,
    async multiply(repeat) {
      for (const out of outs) out.dispose();
      outs = Array.from({ length: repeat }, () => np.matmul(a.ref, b.ref)); // all kept: one disposed of is never computed
      await jax.blockUntilReady(outs);
    },
    read: async () => new Float32Array(await outs[0].ref.data()),
  };
}

const PEERS: Record<string, (files: Record<string, string>) => Promise<Product>> = {
  "tfjs": tfjsProduct,
  "jax-js": jaxProduct,
};

let product: Product, repeat = 1, shape = [0, 0];

/** Largest resident MB so far (Linux). */
async function peakMb(): Promise<number | undefined> {
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(status) ?? [];
  return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1024);
}

async function answer(request: Request): Promise<Answer> {
  switch (request.do) {
    case "open": {
      const { options, files } = request;
      [repeat, shape] = [Number(options.repeat), [Number(options.m), Number(options.n)]];
      product = await PEERS[Deno.args[0]](files);
      const adapter = await navigator.gpu.requestAdapter();
      return { version: product.version, device: adapter?.info.description || adapter?.info.device };
    }
    case "run": {
      const started = performance.now();
      await product.multiply(request.warm ? 1 : repeat);
      return { seconds: (performance.now() - started) / 1000 / repeat, peakMb: await peakMb() };
    }
    case "save":
      await saveMatrix(request.path, { data: await product.read(), rows: shape[0], cols: shape[1] });
      return {};
    default:
      return {};
  }
}

await answerRequests(answer);
Deno.exit(0); // the packages keep the device open
