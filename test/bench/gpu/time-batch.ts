import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { median, timeRounds } from '../figures.ts';
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
  const runs: number[] = [];
  const round = async (): Promise<void> => {
    Object.assign(open.meter, stageMeter());
    await open.run(batch);
    runs.push(open.meter.runMs);
  };
  const { medianMs: totalMs, bestMs, cpuMs } = await timeRounds(round, rounds);
  return { firstMs, runs: open.meter.runs, runMs: median(runs), totalMs, bestMs, cpuMs };
}
