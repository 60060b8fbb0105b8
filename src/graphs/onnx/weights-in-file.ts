import { posix } from 'node:path';
import { parseOnnx, readOnnxBytes, type OnnxModel, type OnnxTensor } from './onnx-model.ts';

/** Smaller tensors stay in the graph: shapes are inferred from them, and a reference takes as many bytes. */
const LEAST_BYTES = 1024;
/** `TensorProto.DataLocation.EXTERNAL`. */
const EXTERNAL = 1;

/**
 * Reads an ONNX file whose large weights stay in it: they become external data that names the file itself, since protobuf
 * keeps the bytes of a tensor in one piece. What is composed of the model then refers to them instead of holding
 * a copy; it only works beside the file. Weights that are not written as plain bytes, and those of constants, are read as they are.
 * Throws PACK_BROKEN naming the file.
 */
export async function readOnnxByReference(path: string): Promise<OnnxModel> {
  const bytes = await readOnnxBytes(path);
  const model = parseOnnx(bytes, path);
  const location = posix.basename(path);
  const initializer = (model.graph.initializer ?? []).map((tensor) => referTo(tensor, bytes, location));
  return { ...model, graph: { ...model.graph, initializer } };
}

function referTo(tensor: OnnxTensor, file: Uint8Array, location: string): OnnxTensor {
  const { rawData, ...rest } = tensor;
  if (rawData === undefined || rawData.length < LEAST_BYTES || rawData.buffer !== file.buffer) return tensor;
  const entries = { location, offset: rawData.byteOffset - file.byteOffset, length: rawData.length };
  return {
    ...rest,
    dataLocation: EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value: String(value) })),
  };
}
