/** More outputs for an ONNX model, without rewriting it. */
import protobuf from "protobufjs";

/** Field numbers of onnx.proto3. */
const MODEL_GRAPH = 7, GRAPH_OUTPUT = 12, VALUE_NAME = 1;
/** Wire type of strings and messages. */
const LENGTH_DELIMITED = 2;

/**
 * Makes inner tensors of a model outputs of it.
 *
 * The bytes of the model stay as they are; behind them comes a second `graph` field that holds only the outputs. A reader
 * of protocol buffers merges the two ("Last One Wins" merges embedded messages and concatenates repeated fields), so
 * nothing that this code does not know is lost. Types are left out: the runtime infers them.
 *
 * @param model a ModelProto
 * @param tensors names of tensors in its main graph that are no outputs yet
 * @returns the model with the outputs appended in this order
 */
export function withOutputs(model: Uint8Array, tensors: string[]): Uint8Array {
  const lengthDelimited = (field: number) => (field << 3) | LENGTH_DELIMITED;
  const writer = protobuf.Writer.create();
  writer.uint32(lengthDelimited(MODEL_GRAPH)).fork();
  for (const tensor of tensors) {
    writer.uint32(lengthDelimited(GRAPH_OUTPUT)).fork();
    writer.uint32(lengthDelimited(VALUE_NAME)).string(tensor).ldelim();
  }
  const addition = writer.ldelim().finish();
  const bytes = new Uint8Array(model.length + addition.length);
  bytes.set(model);
  bytes.set(addition, model.length);
  return bytes;
}
