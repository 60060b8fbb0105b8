import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { median } from '../figures.ts';
import type { StageCase } from './stage-cases.ts';

/** Milliseconds; medians over the rounds where nothing else is said. */
export interface BatchTiming {
  /** Of the first run of this batch size, in which CUDA opens a session and every convolution is planned. */
  readonly firstMs: number;
  /** Runs of a session in one round. */
  readonly runs: number;
  /** Inside ONNX Runtime. */
  readonly runMs: number;
  /** Of the whole stage, preparation and reading included. */
  readonly totalMs: number;
  /** The least of the whole stage. */
  readonly bestMs: number;
  /** Of the processor, on average. */
  readonly cpuMs: number;
}

/** Runs a batch once, and then `rounds` times with a clock. */
export async function timeBatch(open: StageCase, batch: number, rounds: number): Promise<BatchTiming> {
  const first = performance.now();
  await open.run(batch);
  const firstMs = performance.now() - first;
  const [runs, totals]: [number[], number[]] = [[], []];
  const cpu = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    Object.assign(open.meter, stageMeter());
    const started = performance.now();
    await open.run(batch);
    totals.push(performance.now() - started);
    runs.push(open.meter.runMs);
  }
  const used = process.cpuUsage(cpu);
  return {
    firstMs,
    runs: open.meter.runs,
    runMs: median(runs),
    totalMs: median(totals),
    bestMs: Math.min(...totals),
    cpuMs: (used.user + used.system) / 1000 / rounds,
  };
}
