import { expect, test } from '@jest/globals';
import { decodeSettings } from '../../../src/cli/job-settings.ts';
import { loadConfig } from '../../../src/config/config.ts';

type Load = Parameters<typeof decodeSettings>[2];

const threadFromBytes = (FRAME_THREADS: string | undefined, load: Load): number | null | undefined =>
  decodeSettings(loadConfig({ FRAME_THREADS }), null, load).threadFromBytes;

test('much footage is read on threads of its own where a GPU works on several videos at once, all of it where that is asked for', () => {
  const many = { device: 'cuda', videosAtOnce: 2 } as const;
  const few = [null, { ...many, videosAtOnce: 1 }, { device: 'cpu', videosAtOnce: 8 }] as const;
  const settings = [undefined, 'auto', 'on', 'off'];
  expect(settings.map((setting) => threadFromBytes(setting, many))).toEqual([400_000_000, 400_000_000, 0, null]);
  for (const load of few) {
    expect(settings.map((setting) => threadFromBytes(setting, load))).toEqual([null, null, 0, null]);
  }
});
