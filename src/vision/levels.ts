export interface Normalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * What each level 0..255 of a channel becomes: x/255, then (x - mean) / std. Computed in double precision and rounded to single once,
 * as the references do it.
 */
export function levelTable(mean: number, std: number): Float32Array {
  const table = new Float32Array(256);
  for (let level = 0; level < 256; level++) table[level] = (level / 255 - mean) / std;
  return table;
}
