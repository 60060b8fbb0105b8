import { argmax } from './softmax.ts';

/** The start of the most probable of equal bins of the circle, in degrees, with its probability. */
export function readAngle(bins: ArrayLike<number>): { readonly degrees: number; readonly score: number } {
  const best = argmax(bins);
  return { degrees: best * (360 / bins.length), score: bins[best] ?? 0 };
}
