/** log(sum(exp(x))) without overflow; -Infinity for no values. */
export function logSumExp(values: ArrayLike<number>): number {
  const largest = maximum(values);
  // Nothing to sum, or a value that swallows all others: subtracting it from itself would be NaN.
  if (!Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] as number) - largest);
  return largest + Math.log(sum);
}

/** Probabilities that sum to 1. */
export function softmax(values: ArrayLike<number>): number[] {
  // Dividing by the sum, not subtracting its logarithm: equal values get exactly equal shares.
  const largest = maximum(values);
  const powers = Array.from(values, (value) => Math.exp(value - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** Index of the first largest value; -1 for none. */
export function argmax(values: ArrayLike<number>): number {
  let best = values.length > 0 ? 0 : -1;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

function maximum(values: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i] as number);
  return largest;
}
