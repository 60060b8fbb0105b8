import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { ChainFigures } from '../../bench/gpu-kit/host/chain-load.ts';
import { makeMedia, testSource } from '../../harness/media.ts';
import { runOnStandIns, standInTest } from './on-stand-ins.ts';
import { useTinyPack } from './tiny-pack.ts';

const pack = useTinyPack();
/** Enough for the models and batches of eight people, and not for 64. */
const LITTLE_MEMORY = 600_000_000;
/** Opening sessions for every size up to the usual ones takes longer than the rest of a short analysis. */
const SMALL_BATCHES = { DETECTION_BATCH_SIZE: '2', PEOPLE_BATCH_SIZE: '2', LANGUAGE_BATCH_SIZE: '1' };

interface Start {
  readonly error: string;
  readonly candidates: number;
  readonly threads: number;
}

interface LittleMemory extends Partial<ChainFigures> {
  readonly error?: string;
  readonly warning?: string;
  readonly askedPerFrame?: Readonly<Record<string, number>>;
}

interface LargeFrames {
  readonly startBytes: number;
  readonly liveBytes: number;
  readonly warnings: readonly string[];
  readonly failed: readonly string[];
}

standInTest('three threads have sessions on one GPU, and run at the same time', async () => {
  const args = [pack().prepared, 'cuda', 'small', '--batches', '2,4,2', '--loads', 'all:6', '--seconds', '0.5'];
  const { lines, counts } = await runOnStandIns<Partial<ChainFigures & Start>>(
    'test/bench/gpu-kit/host/chain.ts',
    args,
  );
  expect(lines.map(({ error }) => error)).toEqual(lines.map(() => undefined));
  const figures = lines.find(({ frames }) => frames !== undefined);
  expect(figures?.frames).toBeGreaterThan(0);
  // Whole frames, people, language: a model of people that runs holds up no detection.
  expect(lines[0]?.threads).toBe(3);
  // Of the detector's answers, six on top of each other.
  expect([lines[0]?.candidates, figures?.boxesPerFrame]).toEqual([60, 10]);
  const busy = (stage: string): number => figures?.stages?.[stage]?.totalShare ?? 0;
  const [vision, language] = [busy('detection') + busy('ageGender') + busy('orientation'), busy('action')];
  expect(Math.min(busy('detection'), busy('ageGender'), busy('orientation'), language)).toBeGreaterThan(0);
  // Shares of the same time: were one to wait for the other, they would not be more than all of it together.
  expect(vision + language).toBeGreaterThan(1.1);
  expect(counts.convolutions).toBeGreaterThan(0);
  expect(counts.products).toBeGreaterThan(0);
});

standInTest('a GPU that has no memory for the largest batches goes on with smaller ones, and says so', async () => {
  const args = [pack().prepared, 'cuda', 'small', '--batches', '1,64,2', '--loads', 'frame:24', '--seconds', '0.5'];
  const { lines } = await runOnStandIns<LittleMemory>('test/bench/gpu-kit/host/chain.ts', args, {
    env: { NULL_CUDA_MEMORY: String(LITTLE_MEMORY) },
  });
  expect(lines.map(({ error }) => error)).toEqual(lines.map(() => undefined));
  const sizes = lines.flatMap(({ warning }) => /PEOPLE_BATCH_SIZE=(\d+)/.exec(warning ?? '')?.[1] ?? []);
  // What fitted when batches of people were eight at most fits with the default, too.
  expect(sizes).toEqual(['32', '16', '8']);
  const { frames, stages, askedPerFrame } = lines.find((line) => line.frames !== undefined) ?? {};
  expect(frames).toBeGreaterThan(0);
  for (const stage of ['ageGender', 'orientation']) {
    expect(stages?.[stage]?.perRun).toBeGreaterThan(4);
    expect(stages?.[stage]?.perRun).toBeLessThanOrEqual(8);
  }
  // A larger run would be of a size that has not been planned, though it failed for want of memory.
  expect(askedPerFrame?.['plans']).toBe(0);
});

standInTest('frames that need more memory than is left get it from larger batches', async () => {
  const { lines } = await runOnStandIns<LargeFrames>('test/bench/gpu-kit/null-cuda/large-frames.ts', [pack().prepared]);
  const [start, ...sizes] = lines;
  expect(start?.warnings).toEqual([]);
  expect(sizes.map(({ failed }) => failed)).toEqual([[], [], []]);
  const last = sizes.at(-1);
  expect(last?.warnings).toContainEqual(expect.stringMatching(/no memory for runs of 4: .*PEOPLE_BATCH_SIZE=2;/));
  // A session of each size has its own weights and arena.
  expect(last?.liveBytes).toBeLessThan(start?.startBytes ?? 0);
});

standInTest('what is tuned are the batches of the plan: smaller ones in their place are no result', async () => {
  const video = join(pack().folder, 'tuned.mp4');
  await makeMedia([...testSource({ size: '320x180', rate: 10, seconds: 2 }), '-pix_fmt', 'yuv420p', video]);
  const args = ['--pack', pack().prepared, '--device', 'cuda', '--video', video];
  // Of the plan nothing but the people's batches is too large, and they are by one step.
  const env = { ...SMALL_BATCHES, PEOPLE_BATCH_SIZE: '16', SCENE: 'off', NULL_CUDA_MEMORY: String(LITTLE_MEMORY) };
  await runOnStandIns('src/cli/video-worker.ts', ['analyze', ...args.slice(0, 4), video], { env });
  const tuning = runOnStandIns('src/cli/video-worker.ts', ['tune', ...args, '--seconds', '60'], { env });
  await expect(tuning).rejects.toThrow(/ended with 3: .*CUDA_OUT_OF_MEMORY/s);
});

standInTest('the command line analyses a video on CUDA', async () => {
  const [video, result] = [join(pack().folder, 'video.mp4'), join(pack().folder, 'analysis.json')];
  await makeMedia([...testSource({ size: '320x180', rate: 10, seconds: 4 }), '-pix_fmt', 'yuv420p', video]);
  const args = ['analyze', video, '--pack', pack().prepared, '--device', 'cuda', '--json', result];
  const { counts } = await runOnStandIns('src/cli/video-worker.ts', args, { env: { ...SMALL_BATCHES, SCENE: 'off' } });
  const analysis = JSON.parse(await readFile(result, 'utf8')) as {
    readonly timings: { readonly stages: { readonly detection: { readonly items: number; readonly runs: number } } };
  };
  const { detection } = analysis.timings.stages;
  expect(detection.items).toBeGreaterThan(0);
  expect(counts.toGpuBytes).toBeGreaterThan(detection.items * 320 * 180 * 3);
  expect(counts.convolutions).toBeGreaterThan(detection.runs);
});
