/** Inputs and outputs for a graph of a pack, which the C interface can bind: what they hold does not matter to the time of a model. */

import type { TensorSpec } from '../../../../src/packs/pack-manifest.ts';
import { ELEMENT_TYPES, type Handle, type OnnxRuntime } from './onnxruntime-c-api.ts';

/** Sizes of the axes that a graph leaves open; every other one is 1. */
export interface AxisSizes extends Readonly<Record<string, number>> {
  readonly tokens: number;
  readonly past: number;
}

export interface TensorPlace {
  readonly runtime: OnnxRuntime;
  /** Null: in the host's memory. */
  readonly allocator: Handle<'Allocator'> | null;
  readonly axes: AxisSizes;
}

export interface MadeTensor {
  readonly value: Handle<'Value'>;
  /** What the value reads and writes, to be kept as long as it; null on the GPU. */
  readonly bytes: Uint8Array | null;
}

export function makeTensor(spec: TensorSpec, { runtime, allocator, axes }: TensorPlace): MadeTensor {
  const dims = spec.shape.map((axis) => (typeof axis === 'number' ? axis : (axes[axis] ?? 1)));
  // A graph computes shapes and places with its whole numbers: they must be right, and only the host's memory can be written here.
  if (allocator !== null && spec.dtype !== 'int64') {
    return { value: runtime.gpuTensor(allocator, spec.dtype, dims), bytes: null };
  }
  const count = dims.reduce((product, size) => product * size, 1);
  const bytes = new Uint8Array(count * ELEMENT_TYPES[spec.dtype].bytes);
  if (spec.dtype === 'float32') fillWithNoise(new Float32Array(bytes.buffer));
  if (spec.dtype === 'int64') fillWithPositions(spec.name, new BigInt64Array(bytes.buffer), axes);
  return { value: runtime.hostTensor(bytes, spec.dtype, dims), bytes };
}

function fillWithNoise(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = Math.random();
}

/** The decoder's whole numbers: positions after the shared beginning, and ones for its mask and the number of logits. */
function fillWithPositions(name: string, values: BigInt64Array, axes: AxisSizes): void {
  if (name !== 'position_ids') values.fill(1n);
  else for (let i = 0; i < values.length; i++) values[i] = BigInt(axes.past + (i % axes.tokens));
}
