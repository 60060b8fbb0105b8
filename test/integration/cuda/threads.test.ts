import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { ChainFigures } from '../../bench/gpu-kit/host/chain-load.ts';
import { makeMedia, testSource } from '../../support/media.ts';
import { runOnStandIns, standInTest, type TinyPacks, tinyPacks } from './on-stand-ins.ts';

let packs: TinyPacks;

beforeAll(async () => {
  packs = await tinyPacks();
}, 300_000);

afterAll(async () => {
  await rm(packs.folder, { recursive: true, force: true });
});

standInTest('two threads have sessions on one GPU and run at the same time', async () => {
  const args = [packs.prepared, 'cuda', 'small', '--batches', '2,4,2', '--loads', 'all:6', '--seconds', '1'];
  const { lines, counts } = await runOnStandIns<Partial<ChainFigures> & { readonly error?: string }>(
    'test/bench/gpu-kit/host/chain.ts',
    args,
  );
  expect(lines.map(({ error }) => error)).toEqual(lines.map(() => undefined));
  const figures = lines.find(({ frames }) => frames !== undefined);
  expect(figures?.frames).toBeGreaterThan(0);
  // One thread has the first three, the other the fourth.
  for (const stage of ['detection', 'ageGender', 'orientation', 'action']) {
    expect(figures?.stages?.[stage]?.runs).toBeGreaterThan(0);
  }
  expect(counts.convolutions).toBeGreaterThan(0);
  expect(counts.products).toBeGreaterThan(0);
});

standInTest('the command line analyses a video on CUDA', async () => {
  const [video, result] = [join(packs.folder, 'video.mp4'), join(packs.folder, 'analysis.json')];
  await makeMedia([...testSource({ size: '320x180', rate: 10, seconds: 4 }), '-pix_fmt', 'yuv420p', video]);
  const args = ['analyze', video, '--pack', packs.prepared, '--device', 'cuda', '--json', result];
  const { counts } = await runOnStandIns('src/cli/video-worker.ts', args, { env: { SCENE: 'off' } });
  const analysis = JSON.parse(await readFile(result, 'utf8')) as {
    readonly timings: { readonly stages: { readonly detection: { readonly items: number; readonly runs: number } } };
  };
  const { detection } = analysis.timings.stages;
  expect(detection.items).toBeGreaterThan(0);
  expect(counts.toGpuBytes).toBeGreaterThan(detection.items * 320 * 180 * 3);
  expect(counts.convolutions).toBeGreaterThan(detection.runs);
});
