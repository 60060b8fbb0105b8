/** log(sum(exp(x))) without overflow. */
export function logSumExp(values: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i] as number);
  // Nothing to sum, or a value that swallows all others: subtracting it from itself would be NaN.
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] as number) - largest);
  return largest + Math.log(sum);
}

/** Probabilities that sum to 1. */
export function softmax(values: ArrayLike<number>): number[] {
  const total = logSumExp(values);
  return Array.from(values, (value) => Math.exp(value - total));
}

/** Index of the first largest value; -1 for none. */
export function argmax(values: ArrayLike<number>): number {
  let best = values.length > 0 ? 0 : -1;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
