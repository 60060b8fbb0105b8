/**
 * Inputs that the CUDA kernels take from the CPU's memory (`InputMemoryType(OrtMemTypeCPUInput, ...)` of the registrations in
 * onnxruntime/core/providers/cuda): sizes, axes, limits and conditions. Feeding them costs no copy.
 */
export const CPU_INPUTS: Readonly<Record<string, readonly number[]>> = {
  Clip: [1, 2],
  ConstantOfShape: [0],
  CumSum: [1],
  Dropout: [1, 2],
  Expand: [1],
  GroupQueryAttention: [6],
  If: [0],
  Loop: [0, 1],
  NonMaxSuppression: [2, 3, 4],
  OneHot: [1, 2],
  Pad: [1, 2, 3],
  Range: [0, 1, 2],
  ReduceL1: [1],
  ReduceL2: [1],
  ReduceLogSum: [1],
  ReduceLogSumExp: [1],
  ReduceMax: [1],
  ReduceMean: [1],
  ReduceMin: [1],
  ReduceProd: [1],
  ReduceSum: [1],
  ReduceSumSquare: [1],
  Reshape: [1],
  Resize: [1, 2, 3],
  Slice: [1, 2, 3, 4],
  Split: [1],
  Squeeze: [1],
  Tile: [1],
  TopK: [1],
  Trilu: [1],
  Unsqueeze: [1],
};

/** Outputs that the CUDA kernels leave in the CPU's memory. */
export const CPU_OUTPUTS: Readonly<Record<string, readonly number[]>> = { Shape: [0], Size: [0] };

/** With these a node is never sent to the CPU for the sake of a small input. */
export const HALF_TYPES: readonly string[] = [
  'float16',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
];
