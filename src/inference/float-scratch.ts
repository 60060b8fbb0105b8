/**
 * A buffer that is used again for every batch: input tensors are megabytes, and making them anew costs more time in the garbage
 * collector than filling them. ONNX Runtime has read the values when `run` resolves, so one buffer serves a stage whose runs
 * follow each other. What an earlier batch left stays in it until it is written over.
 */
export function floatScratch(): (length: number) => Float32Array<ArrayBuffer> {
  let buffer = new Float32Array(0);
  return (length) => {
    if (buffer.length < length) buffer = new Float32Array(length);
    return buffer.length === length ? buffer : buffer.subarray(0, length);
  };
}
