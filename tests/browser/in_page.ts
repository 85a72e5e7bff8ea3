/** Runs test files in a page: as much of `Deno` as they use, and what came of each test. */

/** What came of one test. */
export interface PageResult {
  file: string;
  test: string;
  milliseconds: number;
  /** "ok", "ignored", or the error's text. */
  result: string;
}

/** What a test is handed: steps run in place. */
interface Steps {
  step(name: string, fn: (t: Steps) => unknown): Promise<boolean>;
}

/** A test as `Deno.test` takes it. */
interface Test {
  name: string;
  fn: (t: Steps) => unknown;
  ignore?: boolean;
}

const tests: Test[] = [], after: (() => unknown)[] = [];

const STEPS: Steps = {
  async step(name, fn) {
    try {
      await fn(STEPS);
    } catch (error) {
      throw new Error(`step "${name}": ${textOf(error)}`);
    }
    return true;
  },
};

function textOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function test(named: string | Test, fn?: Test["fn"]): void {
  tests.push(typeof named === "string" ? { name: named, fn: fn! } : named);
}
test.afterAll = (fn: () => unknown) => after.push(fn);

/** Stands in for `Deno` where there is none. @param env variables by name */
export function standIn(env: Record<string, string>): void {
  (globalThis as { Deno?: unknown }).Deno ??= { test, env: { get: (name: string) => env[name] } };
}

/**
 * From now on, all who ask for a device of one kind share it, and each shader is compiled once in the page: SwiftShader takes from
 * a tenth of a second to two for a product's.
 */
export function shareDevices(): void {
  const { requestDevice } = GPUAdapter.prototype, devices = new Map<string, Promise<GPUDevice>>();
  GPUAdapter.prototype.requestDevice = function (wanted) {
    const key = JSON.stringify(wanted),
      device = devices.get(key) ?? requestDevice.call(this, wanted).then(lasting);
    devices.set(key, device);
    return device;
  };
}

/** A device that outlives those who close it, and remembers what it has compiled. */
function lasting(device: GPUDevice): GPUDevice {
  const createModule = device.createShaderModule.bind(device);
  const createPipeline = device.createComputePipeline.bind(device);
  const modules = new Map<string, GPUShaderModule>(), pipelines = new Map<string, GPUComputePipeline>();
  const codes = new Map<GPUShaderModule, string>();
  device.destroy = () => {};
  device.createShaderModule = (made) => {
    const module = modules.get(made.code) ?? createModule(made);
    modules.set(made.code, module);
    codes.set(module, made.code);
    return module;
  };
  device.createComputePipeline = (made) => {
    const { module, entryPoint, constants } = made.compute;
    const key = JSON.stringify([codes.get(module), entryPoint, constants]);
    const pipeline = pipelines.get(key) ?? createPipeline(made);
    pipelines.set(key, pipeline);
    return pipeline;
  };
  return device;
}

async function resultOf({ fn, ignore }: Test): Promise<string> {
  if (ignore) return "ignored";
  try {
    await fn(STEPS);
    return "ok";
  } catch (error) {
    return textOf(error);
  }
}

/** Runs a file's tests, one after the other. */
export async function runFile(file: string, load: () => Promise<unknown>): Promise<PageResult[]> {
  const loaded = await resultOf({ name: file, fn: load });
  const results: PageResult[] = loaded === "ok"
    ? []
    : [{ file, test: "(the file)", milliseconds: 0, result: loaded }];
  for (const each of tests.splice(0)) {
    const started = performance.now(), result = await resultOf(each);
    results.push({ file, test: each.name, milliseconds: Math.round(performance.now() - started), result });
  }
  for (const fn of after.splice(0)) await fn();
  return results;
}
