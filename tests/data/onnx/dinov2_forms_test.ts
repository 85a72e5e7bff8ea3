/** A real DINOv2 in five forms, made by tests/golden/onnx_forms/dinov2.py; skipped where they were not made. */
import { assert, assertEquals } from "@std/assert";
import { countAttention, describeCount } from "../../../src/data/onnx/attention_outputs.ts";
import { readNpy } from "../../../src/data/formats/npy.ts";
import { readOnnx, withOutputs } from "../../../src/data/onnx/graph.ts";
import { openSession } from "../../../src/data/onnx/session.ts";

const FOLDER = Deno.env.get("ALIGNEDCUT_DINOV2_FORMS");
/** How far from float32, and from Python's run of the same form, a layer may be: root mean square, relative. */
const FORMS: Record<string, { rounding: number; same: number }> = {
  float32: { rounding: 0, same: 1e-5 },
  float16: { rounding: 0.02, same: 1e-3 },
  dynamic: { rounding: 0.2, same: 1e-3 },
  qdq: { rounding: 0.4, same: 2e-3 },
  qoperator: { rounding: 0.4, same: 1e-3 },
};

/** Root mean square of the differences by that of the expected values. */
function distance(found: Float32Array, expected: Float32Array): number {
  let off = 0, size = 0;
  for (const [i, value] of expected.entries()) {
    off += (found[i] - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(off / size);
}

Deno.test({
  name: "DINOv2 has the same 12 layers in five forms (ALIGNEDCUT_DINOV2_FORMS)",
  ignore: FOLDER === undefined,
  async fn() {
    const { shape, data } = await readNpy(`${FOLDER}/pixels.npy`), pixels = data as Float32Array;
    const first: Record<number, Float32Array> = {}, images = shape[0], size = pixels.length / images;
    for (const [name, limits] of Object.entries(FORMS)) {
      const graph = await readOnnx(`${FOLDER}/${name}.onnx`), count = countAttention(graph);
      assertEquals(count.blocks.length, 12);
      const tensors = count.blocks.map(({ tensor }) => tensor);
      const model = withOutputs(graph, tensors, count.blocks.flatMap(({ added }) => added ?? []));
      const session = await openSession(graph.path, model, []);
      const [{ name: input }] = session.inputs;
      const layers = tensors.map(() => [] as Float32Array[]);
      for (let i = 0; i < images; i++) { // one by one: in 8 bits, a batch shares its scale
        const image = pixels.slice(i * size, (i + 1) * size);
        const feed = { name: input, type: "float32" as const, pixels: image, dims: [1, ...shape.slice(1)] };
        const results = await session.run(feed, tensors);
        for (const [l, tensor] of tensors.entries()) layers[l].push(results[tensor].data);
      }
      await session.release();
      const python = await readNpy(`${FOLDER}/${name}.npy`), each = python.data.length / 12;
      const rounding: number[] = [], same: number[] = [];
      for (const [l, parts] of layers.entries()) {
        const found = new Float32Array(each);
        parts.forEach((part, i) => found.set(part, i * part.length));
        first[l] ??= found;
        rounding.push(distance(found, first[l]));
        same.push(distance(found, (python.data as Float32Array).subarray(l * each, (l + 1) * each)));
      }
      const range = (values: number[]) =>
        `${Math.min(...values).toExponential(1)} … ${Math.max(...values).toExponential(1)}`;
      console.log(`| ${name} | ${describeCount(count)} | ${range(rounding)} | ${range(same)} |`);
      assert(Math.max(...rounding) <= limits.rounding, `${name}: ${Math.max(...rounding)} from float32`);
      assert(Math.max(...same) <= limits.same, `${name}: ${Math.max(...same)} from Python's run`);
    }
  },
});
