import { GIGAFLOPS } from '../gpu/arithmetic-floor.ts';

/** A run of a session by what it is: the prepared graphs of the full-size official models. */
export type RunKind = 'detection' | 'ageGender' | 'orientation' | 'action';

export type SimulatedGpu = 'h100' | 'a10g';

/** Milliseconds of a run, by rows in ascending order. */
export type RunTimes = readonly (readonly [rows: number, ms: number])[];

/**
 * Measured inside ONNX Runtime on an H200 (docs/benchmarks.md, "On a GPU"), whose arithmetic is an H100's: detection of 7 to 8 rows,
 * age and gender and orientation of 8 and 64, the action as one graph of 1, 5 and 8. Assumptions: detection of one row takes what
 * PyTorch took there, one of 16 twice one of eight; one row of the heads takes what the cheapest run of eight took, since launches and
 * no arithmetic set their pace.
 */
const H100: Readonly<Record<RunKind, RunTimes>> = {
  detection: [
    [1, 8.2],
    [8, 23],
    [16, 46],
  ],
  ageGender: [
    [1, 5.9],
    [8, 7.3],
    [64, 32],
  ],
  orientation: [
    [1, 9.5],
    [8, 14.5],
    [64, 23],
  ],
  action: [
    [1, 32.7],
    [5, 61.3],
    [8, 84.3],
  ],
};

/** Dense fp16, from Baseten's "NVIDIA A10 vs A10G for ML model inference"; half of it for a whole network is an assumption. */
const A10G_GIGAFLOPS_PER_MS = 70 * 0.5;

/**
 * Milliseconds of the device for a run of so many rows. An A10G takes what its arithmetic takes, and no less than the measured card: all
 * its figures are assumptions.
 */
export function deviceMs(gpu: SimulatedGpu, kind: RunKind, rows: number): number {
  const measured = interpolated(H100[kind], rows);
  if (gpu === 'h100') return measured;
  return Math.max(measured, (GIGAFLOPS[kind] * rows) / A10G_GIGAFLOPS_PER_MS);
}

/** Between two known sizes on the line between them; beyond the last one on the line through it from zero. */
export function interpolated(times: RunTimes, rows: number): number {
  const above = times.findIndex(([known]) => known >= rows);
  const [lastRows, lastMs] = times.at(-1) ?? [1, 0];
  if (above < 0) return (lastMs * rows) / lastRows;
  const [toRows, toMs] = times[above] ?? [1, 0];
  const [fromRows, fromMs] = times[above - 1] ?? [toRows, toMs];
  if (toRows === fromRows) return toMs;
  return fromMs + ((toMs - fromMs) * (rows - fromRows)) / (toRows - fromRows);
}
