import { Tensor } from 'onnxruntime-node';
import { Failure } from '../failure/failure.ts';

/** ONNX Runtime's own, for the rooms that fill and read tensors: only this one knows the package. */
export { Tensor };

/** Element types that the chain feeds and reads; which one a tensor has is the graph's business, never the caller's. */
export type ElementType = 'float32' | 'float16' | 'uint8' | 'int64';

interface NumericArray extends ArrayLike<number> {
  set(source: ArrayLike<number>, offset?: number): void;
  subarray(from: number, to: number): NumericArray;
  readonly BYTES_PER_ELEMENT: number;
}

type NumericArrayConstructor = new (source: number | ArrayLike<number>) => NumericArray;

/** Node 24 has it; TypeScript's es2024 library does not know it yet. */
const Float16 = (globalThis as { readonly Float16Array?: NumericArrayConstructor }).Float16Array;

function float16(): NumericArrayConstructor {
  if (Float16 === undefined) {
    throw new Failure('CONFIG_INVALID', 'a model with float16 tensors needs Node 24 or newer (Float16Array)');
  }
  return Float16;
}

/** A tensor of the graph's element type from 32-bit floats. */
export function floatTensor(type: string, values: Float32Array, dims: readonly number[]): Tensor {
  if (type === 'float32') return new Tensor('float32', values, dims);
  if (type === 'float16') return new Tensor('float16', new (float16())(values) as unknown as Uint16Array, dims);
  throw new Failure('PACK_BROKEN', `a tensor of type ${type} stands where float32 or float16 is expected`);
}

/** A tensor of whole numbers as ONNX wants them. */
export function int64Tensor(values: ArrayLike<number>, dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}

/**
 * The tensor as the native binding can read it: a float16 tensor with its numbers as plain 16-bit words, every other one unchanged.
 * The binding (1.30, microsoft/onnxruntime#32323) finds no bytes in the Float16Array that its own Tensor makes of such data.
 */
export function readableByBinding(tensor: Tensor): Tensor {
  if (tensor.type !== 'float16') return tensor;
  const { buffer, byteOffset, length } = tensor.data as unknown as Uint16Array;
  return Object.create(tensor, { data: { value: new Uint16Array(buffer, byteOffset, length) } }) as Tensor;
}

/** The tensor's values as 32-bit floats; a float32 tensor is not copied. */
export function readFloats(tensor: Tensor): Float32Array {
  const data: unknown = tensor.data;
  if (data instanceof Float32Array) return data;
  if (tensor.type === 'float16') return Float32Array.from(data as ArrayLike<number>);
  throw new Failure('PACK_BROKEN', `a tensor of type ${tensor.type} stands where float32 or float16 is expected`);
}

/** `length` values from `from` on as 32-bit floats: of a large float16 tensor only what is used is converted. */
export function readFloatRange(tensor: Tensor, from: number, length: number): Float32Array {
  const data: unknown = tensor.data;
  if (data instanceof Float32Array) return data.subarray(from, from + length);
  if (tensor.type !== 'float16') return readFloats(tensor);
  return Float32Array.from((data as NumericArray).subarray(from, from + length));
}

/** A tensor without elements along one axis, such as a cache that holds nothing yet. */
export function emptyTensor(type: string, dims: readonly number[]): Tensor {
  return floatTensor(type, new Float32Array(0), dims);
}

/**
 * Rows of the first axis in the given order, repeated or left out as it says; works on the raw elements of any type.
 */
export function takeRows(tensor: Tensor, rows: readonly number[]): Tensor {
  const data = tensor.data as unknown as NumericArray;
  const dims = [rows.length, ...tensor.dims.slice(1)];
  const size = tensor.dims.slice(1).reduce((product, n) => product * n, 1);
  const Constructor = data.constructor as NumericArrayConstructor;
  const taken = new Constructor(rows.length * size);
  rows.forEach((row, i) => taken.set(data.subarray(row * size, (row + 1) * size), i * size));
  return new Tensor(tensor.type as 'float32', taken as unknown as Float32Array, dims);
}

/** Throws INFERENCE_FAILED where a value is NaN or infinite: a broken model must not become a result. */
export function assertFinite(values: Float32Array, what: string): void {
  if (areFinite(values)) return;
  const place = values.findIndex((value) => !Number.isFinite(value));
  throw new Failure(
    'INFERENCE_FAILED',
    `${what} has the value ${values[place]} at position ${place}; expected finite numbers`,
  );
}

/** A finite number times zero is zero, any other one NaN, which no sum loses. Four sums, so that none waits for the one before. */
function areFinite(values: Float32Array): boolean {
  let [a, b, c, d] = [0, 0, 0, 0];
  const zero = 0;
  let i = 0;
  for (; i + 3 < values.length; i += 4) {
    a += (values[i] as number) * zero;
    b += (values[i + 1] as number) * zero;
    c += (values[i + 2] as number) * zero;
    d += (values[i + 3] as number) * zero;
  }
  for (; i < values.length; i++) a += (values[i] as number) * zero;
  return a + b + c + d === 0;
}
