import { describe, expect, test } from '@jest/globals';
import type { ExecutionPlan } from '../../../../src/cli/execution-plan.ts';
import { axesFor, type TuningHost } from '../../../../src/cli/tune/axes.ts';
import { searchPlan, type Measurement, type SearchOptions, type SearchStep } from '../../../../src/cli/tune/search.ts';

const START: ExecutionPlan = {
  pipelines: 1,
  threads: 1,
  detectionBatch: 1,
  peopleBatch: 1,
  languageBatch: 1,
  decoderThreads: 1,
  framesInFlight: 4,
};

const HOST: TuningHost = { device: 'cpu', cores: 4, fittingFrames: 1_000 };

/** A host whose runs take a second each, and on which a plan's speed is what `speed` says. */
function host(speed: (plan: ExecutionPlan) => number, cpu: (plan: ExecutionPlan) => number = () => 20) {
  const tried: ExecutionPlan[] = [];
  const steps: SearchStep[] = [];
  const stop = new AbortController();
  let now = 0;
  const options = (seconds = 3_600): SearchOptions => ({
    start: START,
    axes: axesFor(HOST, START),
    measure: async (plan): Promise<Measurement> => {
      tried.push(plan);
      now += 1_000;
      return { framesPerSecond: speed(plan), cpuMsPerFrame: cpu(plan), peakMib: 100 };
    },
    leftMs: () => seconds * 1_000 - now,
    signal: stop.signal,
    onStep: (step) => steps.push(step),
  });
  return { tried, steps, stop, options };
}

/** Fastest with four pipelines, language batches of two and eight frames in flight. */
const hill = ({ pipelines, languageBatch, framesInFlight, threads }: ExecutionPlan): number =>
  pipelines * 10 + (languageBatch === 2 ? 20 : 0) + (framesInFlight === 8 ? 15 : 0) - threads * 3;

describe('a search', () => {
  test('finds the best plan of a known host', async () => {
    const result = await searchPlan(host(hill).options());
    expect(result.best).toEqual({ ...START, pipelines: 4, languageBatch: 2, framesInFlight: 8 });
    expect(result.isComplete).toBe(true);
    expect(result.comparison?.after.map(({ framesPerSecond }) => framesPerSecond)).toEqual([72, 72]);
    expect(result.trials[0]?.plan).toEqual(START);
  });

  test('tries the same plans in the same order every time', async () => {
    const [one, two] = [host(hill), host(hill)];
    await searchPlan(one.options());
    await searchPlan(two.options());
    expect(two.tried).toEqual(one.tried);
    expect(one.tried.length).toBeLessThan(60);
  });

  test('keeps the simpler plan where the difference is within the noise', async () => {
    let run = 0;
    // Two runs of one plan differ by 8 %, and a plan with two pipelines is 5 % faster.
    const noisy = host(({ pipelines }) => (run++ % 2 === 0 ? 100 : 108) * (pipelines > 1 ? 1.05 : 1));
    const result = await searchPlan(noisy.options());
    expect(result.noise).toBeCloseTo(0.11, 1);
    expect(result.best.pipelines).toBe(1);
  });

  test('goes back to the simpler plan where nothing is lost by it', async () => {
    const flat = host(() => 100);
    const start = { ...START, pipelines: 4, peopleBatch: 8 };
    const result = await searchPlan({ ...flat.options(), start });
    expect(result.best).toEqual({ ...START, framesInFlight: 1 });
  });

  test('gives up steps that are each as good as none, and together a loss', async () => {
    // Each step towards simplicity costs 1.5 %.
    const steps = ({ pipelines, peopleBatch, languageBatch }: ExecutionPlan): number =>
      Math.log2(pipelines * peopleBatch * languageBatch);
    const sliding = host((plan) => 100 * 0.985 ** (9 - steps(plan)));
    const start = { ...START, pipelines: 8, peopleBatch: 8, languageBatch: 8, framesInFlight: 1 };
    const result = await searchPlan({ ...sliding.options(), start, axes: axesFor({ ...HOST, cores: 8 }, start) });
    expect(sliding.tried).toContainEqual({ ...start, pipelines: 1, peopleBatch: 1, languageBatch: 1 });
    expect(result.best).toEqual(start);
  });

  test('takes a plan that is as fast for less of the processor', async () => {
    const thrifty = host(
      ({ framesInFlight }) => (framesInFlight < 4 ? 50 : 100),
      ({ languageBatch }) => (languageBatch === 2 ? 15 : 20),
    );
    expect((await searchPlan(thrifty.options())).best).toEqual({ ...START, languageBatch: 2 });
  });

  test('compares in pairs, in turn first and second, so that a host that grows slower decides nothing', async () => {
    let run = 0;
    const tiring = host(({ pipelines }) => (pipelines === 2 ? 130 : 100) * 0.97 ** run++);
    const result = await searchPlan(tiring.options());
    expect(result.best.pipelines).toBe(2);
    expect(tiring.tried.slice(4, 8).map(({ pipelines }) => pipelines)).toEqual([2, 1, 1, 2]);
  });

  test('leaves out a plan that does not work here, and says why', async () => {
    const small = host(hill);
    const { measure, ...rest } = small.options();
    const result = await searchPlan({
      ...rest,
      measure: async (plan) => {
        if (plan.pipelines > 2) throw new Error('no memory is left');
        return measure(plan);
      },
    });
    expect(result.best.pipelines).toBe(2);
    expect(small.steps).toContainEqual(expect.objectContaining({ kind: 'refused', problem: 'no memory is left' }));
  });

  test('begins nothing that would take longer than what is left, and keeps time to compare what it found with the start', async () => {
    const hasty = host(hill);
    const result = await searchPlan(hasty.options(13));
    expect(result.isComplete).toBe(false);
    expect(result.best.pipelines).toBe(2);
    expect(hasty.tried).toHaveLength(12);
  });

  test('ends with what is known when it is interrupted', async () => {
    const interrupted = host(hill);
    const { measure, ...rest } = interrupted.options();
    const result = await searchPlan({
      ...rest,
      measure: async (plan) => {
        if (interrupted.tried.length === 8) interrupted.stop.abort(new Error('interrupted'));
        interrupted.stop.signal.throwIfAborted();
        return measure(plan);
      },
    });
    expect(result).toMatchObject({ isComplete: false, best: { pipelines: 2 } });
  });

  test('fails where the plan that it begins with does not work', async () => {
    const broken = { ...host(hill).options(), measure: async () => Promise.reject(new Error('no GPU')) };
    await expect(searchPlan(broken)).rejects.toThrow('no GPU');
  });
});

test('what decides most comes first: pipelines on the CPU, batches on CUDA', () => {
  expect(
    axesFor({ ...HOST, cores: 6 }, START)
      .map(({ setting }) => setting)
      .slice(0, 2),
  ).toEqual(['pipelines', 'threads']);
  expect(axesFor({ ...HOST, cores: 6 }, START)[0]?.values).toEqual([1, 2, 4, 6]);
  const cuda = axesFor({ ...HOST, device: 'cuda', cores: 6 }, { ...START, peopleBatch: 64, languageBatch: 8 });
  expect(cuda.map(({ setting }) => setting)).not.toContain('threads');
  const frames = ({ values }: { values: readonly number[] }): number | undefined => values.at(-1);
  expect(cuda.map(frames).at(-1)).toBe(64);
  expect(cuda.slice(0, 3)).toEqual([
    { setting: 'languageBatch', values: [1, 2, 4, 8, 16] },
    { setting: 'peopleBatch', values: [1, 2, 4, 8, 16, 32, 64] },
    { setting: 'detectionBatch', values: [1, 2, 4, 8, 16] },
  ]);
});

test('no more frames in flight are tried than there is memory for, but for what is set', () => {
  const tried = (host: Partial<TuningHost>, framesInFlight: number) =>
    axesFor({ ...HOST, ...host }, { ...START, framesInFlight }).find(({ setting }) => setting === 'framesInFlight')
      ?.values;
  expect(tried({ device: 'cuda', fittingFrames: 18 }, 8)).toEqual([1, 2, 4, 8, 16, 18]);
  expect(tried({ device: 'cuda', fittingFrames: 18 }, 40)).toEqual([1, 2, 4, 8, 16, 18, 40]);
  expect(tried({ fittingFrames: 6 }, 4)).toEqual([1, 2, 4, 6]);
  expect(tried({}, 4)).toEqual([1, 2, 4, 8, 16, 32]);
});
