import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { isDeep } from '../depth.ts';
import { faultsOf, seen } from './footage-check.ts';
import { FootageGround } from './footage-ground.ts';
import type { FootageFile } from './right-values.ts';

/** Larger files are no examples. */
const MAX_BYTES = 300_000;

/** A test for each file, or for those of every run: it is probed and decoded, and has its right values. */
export function holdFiles(files: readonly FootageFile[]): void {
  const held = files.filter(({ isOnlyDeep = false }) => !isOnlyDeep || isDeep());
  let ground: FootageGround;
  let tools: FfmpegTools;
  let made: ReadonlyMap<FootageFile, Promise<Buffer>>;

  beforeAll(async () => {
    ground = await FootageGround.open();
    tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
    // At once, for that takes few runs of ffmpeg; one that cannot be made is the failure of its own test.
    made = new Map(held.map((file) => [file, file.make(ground)]));
    await Promise.allSettled(made.values());
  });
  afterAll(() => ground[Symbol.asyncDispose]());

  test.each(held.map((file) => [file.name, file.why, file] as const))('%s: %s', async (name, _why, file) => {
    const content = (await made.get(file)) ?? Buffer.alloc(0);
    expect(content.length).toBeLessThan(MAX_BYTES);
    const outcome = await seen(tools, await ground.write(name, content));
    expect(faultsOf(outcome, file.right)).toEqual([]);
  });
}
