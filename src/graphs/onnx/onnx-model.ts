import { readFile } from 'node:fs/promises';
import type Long from 'long';
import { Failure } from '../../failure/failure.ts';
import { rethrowHostFault } from '../../failure/host-fault.ts';
import { modelProto } from './onnx-schema.ts';

/** A 64-bit integer of the file; `toNumber` reads it. */
type Int64 = number | Long;

/** Element types of `TensorProto.DataType` by number. */
export const ELEMENT_TYPES = [
  'undefined',
  'float',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'double',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
] as const;

interface OnnxEntry {
  key: string;
  value: string;
}

export interface OnnxTensor {
  name?: string;
  dims?: Int64[];
  dataType?: number;
  rawData?: Uint8Array;
  floatData?: number[];
  int32Data?: number[];
  int64Data?: Int64[];
  externalData?: OnnxEntry[];
  /** 1: the values are in the file that `externalData` names. */
  dataLocation?: number;
}

export interface OnnxAttribute {
  name: string;
  type?: number;
  f?: number;
  i?: Int64;
  s?: Uint8Array;
  t?: OnnxTensor;
  g?: OnnxGraph;
  graphs?: OnnxGraph[];
  floats?: number[];
  ints?: Int64[];
  strings?: Uint8Array[];
}

export interface OnnxNode {
  /** An empty name is an optional input that is left out. */
  input?: string[];
  output?: string[];
  name?: string;
  opType: string;
  domain?: string;
  attribute?: OnnxAttribute[];
}

export interface OnnxDimension {
  dimValue?: Int64;
  dimParam?: string;
}

export interface OnnxValueInfo {
  name: string;
  type?: { tensorType?: { elemType?: number; shape?: { dim?: OnnxDimension[] } } };
}

export interface OnnxGraph {
  name?: string;
  node?: OnnxNode[];
  initializer?: OnnxTensor[];
  input?: OnnxValueInfo[];
  output?: OnnxValueInfo[];
  valueInfo?: OnnxValueInfo[];
}

export interface OnnxOpsetImport {
  domain?: string;
  version: Int64;
}

/** `ModelProto`: fields that a file leaves out are absent. Fields that are not named here survive reading and writing too. */
export interface OnnxModel {
  irVersion?: Int64;
  producerName?: string;
  graph: OnnxGraph;
  opsetImport?: OnnxOpsetImport[];
  metadataProps?: OnnxEntry[];
  /** Functions that the model defines itself; not looked into. */
  functions?: unknown[];
}

export function toNumber(value: Int64): number {
  return typeof value === 'number' ? value : value.toNumber();
}

/** Version of an operator set that the model imports ('' and 'ai.onnx' are the same), null where it imports none. */
export function importedOpset(model: OnnxModel, domain: string): number | null {
  const plain = (name: string | undefined): string => (name === undefined || name === 'ai.onnx' ? '' : name);
  const found = model.opsetImport?.find((entry) => plain(entry.domain) === plain(domain));
  return found === undefined ? null : toNumber(found.version);
}

/** Reads an ONNX file whole (a graph of gigabytes keeps its weights in external files). Throws PACK_BROKEN naming the file. */
export async function readOnnx(path: string): Promise<OnnxModel> {
  return parseOnnx(await readOnnxBytes(path), path);
}

/** The bytes of an ONNX file. Throws PACK_BROKEN naming the file. */
export async function readOnnxBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    rethrowHostFault(cause);
    throw new Failure('PACK_BROKEN', `${path} cannot be read`, { cause });
  }
}

/** Decodes the bytes of an ONNX file; tensor values are views of `bytes`. `name` is what an error calls it. */
export function parseOnnx(bytes: Uint8Array, name: string): OnnxModel {
  let model: OnnxModel;
  try {
    model = modelProto.toObject(modelProto.decode(bytes)) as OnnxModel;
  } catch (cause) {
    throw new Failure('PACK_BROKEN', `${name} is not an ONNX file, or is cut off: ${describe(cause)}`, { cause });
  }
  if (model.graph === undefined || (model.graph.node ?? []).length === 0) {
    throw new Failure('PACK_BROKEN', `${name} is not an ONNX file: it has no graph with a node`);
  }
  return model;
}

/** The bytes of the model; equal models give equal bytes. */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  return modelProto.encode(modelProto.fromObject(model)).finish();
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
