import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { faultsOf, seen } from './footage-check.ts';
import { FootageGround } from './footage-ground.ts';
import type { FootageFile } from './right-values.ts';

/** Larger files are no examples. */
const MAX_BYTES = 300_000;

/** A test for each file: it is probed and decoded, and has its right values. */
export function holdFiles(files: readonly FootageFile[]): void {
  let ground: FootageGround;
  let tools: FfmpegTools;

  beforeAll(async () => {
    ground = await FootageGround.open();
    tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  });
  afterAll(() => ground[Symbol.asyncDispose]());

  test.each(files.map((file) => [file.name, file.why, file] as const))(
    '%s: %s',
    async (name, _why, { make, right }) => {
      const content = await make(ground);
      expect(content.length).toBeLessThan(MAX_BYTES);
      const outcome = await seen(tools, await ground.write(name, content));
      expect(faultsOf(outcome, right)).toEqual([]);
    },
  );
}
