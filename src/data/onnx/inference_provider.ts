/** What onnxruntime runs models on: the processor, or a graphics card by its own WebGPU. */
import { openGpu } from "../../gpu/mod.ts";
import { reasonOf } from "../files/atomic_write.ts";
import { joinBytes, messageField, numberField, textField } from "./messages.ts";
import { runOnce } from "../models/vision_model.ts";
import type { InferenceProvider } from "./types.ts";

/** What can be asked for. */
export const EXTRACT_CHOICES = ["cpu", "webgpu", "auto"] as const;
/** One of them. */
export type ExtractChoice = typeof EXTRACT_CHOICES[number];

/** What models run on, and why another was not taken. */
export interface ChosenProvider {
  provider: InferenceProvider;
  /** A sentence without full stop where it is not what was asked for, or "auto" had to choose; else absent. */
  line?: string;
}

/**
 * Resolves a choice. onnxruntime's WebGPU is Dawn, which is stricter than Deno's: it takes no Mesa software adapter.
 *
 * @param choice "webgpu" is taken where it starts; "auto" also needs a hardware adapter, as on software ones the processor
 *   is faster by far
 * @returns "cpu", with a line that says why, where WebGPU cannot be had
 */
export async function chooseProvider(choice: ExtractChoice = "cpu"): Promise<ChosenProvider> {
  if (choice === "cpu") return { provider: "cpu" };
  if (choice === "auto" && !await hasHardware()) {
    return {
      provider: "cpu",
      line: "models run on the processor, as there is no hardware adapter (--extract auto)",
    };
  }
  try {
    const { data } = await runOnce(trialModel(), "webgpu");
    if (data[0] !== 0 || data[1] !== 2) throw new Error(`it computed ${data.join(", ")} in place of 0, 2`);
    return {
      provider: "webgpu",
      ...(choice === "auto" && { line: "models run by WebGPU (--extract auto)" }),
    };
  } catch (error) {
    const reason = reasonOf(error).replace(/^.*was false\. /s, "").replace(/\s+/g, " ").trim().replace(
      /\.$/,
      "",
    );
    return {
      provider: "cpu",
      line: `models run on the processor, as onnxruntime's WebGPU does not start (${reason})`,
    };
  }
}

async function hasHardware(): Promise<boolean> {
  try {
    using _gpu = await openGpu({ adapter: "hardware" });
    return true;
  } catch {
    return false; // none that Deno finds
  }
}

/** A model that gives what is above 0 of two numbers. */
function trialModel(): Uint8Array {
  const shape = messageField(2, [messageField(1, [numberField(1, 2)])]);
  const tensor = messageField(2, [messageField(1, [numberField(1, 1), shape])]); // of float32
  const value = (field: number, name: string) => messageField(field, [textField(1, name), tensor]);
  const node = messageField(1, [textField(1, "x"), textField(2, "y"), textField(4, "Relu")]);
  return joinBytes([
    numberField(1, 8),
    messageField(7, [node, textField(2, "trial"), value(11, "x"), value(12, "y")]),
    messageField(8, [textField(1, ""), numberField(2, 13)]),
  ]);
}
