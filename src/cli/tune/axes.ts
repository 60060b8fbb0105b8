import { MOST_FRAMES_IN_FLIGHT } from '../../config/keys/inference.ts';
import { MOST_DECODER_THREADS, type ExecutionPlan } from '../execution-plan.ts';
import type { Axis } from './search.ts';

const BATCHES = [1, 2, 4, 8, 16];
const PEOPLE_BATCHES = [...BATCHES, 32, 64];
/** On the CPU more decoded frames lie in memory for nothing. */
const MOST_FRAMES = { cpu: 32, cuda: MOST_FRAMES_IN_FLIGHT } as const;

/** What bounds the search. */
export interface TuningHost {
  readonly device: 'cpu' | 'cuda';
  readonly cores: number;
  /** Most frames in flight of a video for which the memory suffices. */
  readonly fittingFrames: number;
}

/**
 * What is tried, what decides most first: pipelines on the CPU and batches on CUDA; what feeds them comes last. The plan that it starts with
 * is always among it.
 */
export function axesFor({ device, cores, fittingFrames }: TuningHost, start: ExecutionPlan): readonly Axis[] {
  const pipelines = { setting: 'pipelines', values: doublings(device === 'cpu' ? Math.min(cores, 16) : 4) } as const;
  const batches = [
    { setting: 'languageBatch', values: BATCHES },
    { setting: 'peopleBatch', values: PEOPLE_BATCHES },
    { setting: 'detectionBatch', values: BATCHES },
  ] as const;
  const threads = { setting: 'threads', values: doublings(cores) } as const;
  const feeding = [
    { setting: 'decoderThreads', values: doublings(Math.min(cores, MOST_DECODER_THREADS)) },
    { setting: 'framesInFlight', values: doublings(Math.min(MOST_FRAMES[device], fittingFrames)) },
  ] as const;
  const axes: readonly Axis[] =
    device === 'cpu' ? [pipelines, threads, ...batches, ...feeding] : [...batches, pipelines, ...feeding];
  return axes.map(({ setting, values }) => ({ setting, values: including(values, start[setting]) }));
}

/** 1, 2, 4 and so on, and the bound itself. */
function doublings(most: number): readonly number[] {
  const values: number[] = [];
  for (let value = 1; value < most; value *= 2) values.push(value);
  return [...values, most];
}

/** Zero threads mean every core: it is no step between others. */
function including(values: readonly number[], value: number): readonly number[] {
  return [...new Set([...values, value])].filter((each) => each > 0).sort((a, b) => a - b);
}
