/** 16-bit words that differ, of values of the same type. */
export function differingBits(a: ArrayBufferView, b: ArrayBufferView): number {
  const [left, right] = [bitsOf(a), bitsOf(b)];
  if (left.length !== right.length) throw new Error(`${left.length} words where ${right.length} were expected`);
  let count = 0;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) count += 1;
  return count;
}

/** The values' bits. */
export function bitsOf(values: ArrayBufferView): Uint16Array {
  return new Uint16Array(values.buffer, values.byteOffset, values.byteLength / 2);
}
