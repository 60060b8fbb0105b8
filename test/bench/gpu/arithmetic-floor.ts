/** A part of the chain that is timed by itself; `action` as the worker reads it, `actionSteps` always step by step. */
export type BenchStage =
  | 'detection'
  | 'ageGender'
  | 'orientation'
  | 'visionEncoder'
  | 'prefill'
  | 'action'
  | 'actionSteps';

/**
 * Billions of floating point operations (a multiply and an add are two) of one item of the full-size official models: a frame at
 * 640x640, a person row, a crop, a picture of 1024x1024, a prompt of 290 positions. YOLOv8x is published, the others were counted
 * on the module definitions; normalisation and activation, below 2 %, are left out.
 */
export const GIGAFLOPS: Readonly<Record<BenchStage, number>> = {
  detection: 257.4,
  ageGender: 17.31,
  orientation: 17.77,
  visionEncoder: 486.7 + 1.82,
  prefill: 207.5 + 7.2 + 0.27,
  action: 486.7 + 1.82 + 207.5 + 7.2 + 0.27,
  actionSteps: 486.7 + 1.82 + 207.5 + 7.2 + 0.27,
};

/**
 * Dense fp16 tensor-core teraflops by a part of the GPU's name, from the vendor's data sheets. A10G has none that can be trusted
 * and is taken at its sustained rate.
 */
const PEAK_TERAFLOPS: readonly (readonly [RegExp, number])[] = [
  [/H200/, 989],
  [/H100/, 989],
  [/A100/, 312],
  [/L40S/, 362],
  [/\bL4\b/, 121],
  [/A10G/, 70],
  [/\bA10\b/, 125],
  [/\bT4\b/, 65],
];

/** Null for a GPU that the list does not know. */
export function peakTeraflops(gpu: string): number | null {
  return PEAK_TERAFLOPS.find(([name]) => name.test(gpu))?.[1] ?? null;
}

/** Milliseconds that `items` need when every unit of the GPU computes all the time. */
export function floorMs(stage: BenchStage, items: number, teraflops: number): number {
  return (GIGAFLOPS[stage] * items) / teraflops;
}
