import { expect, test } from '@jest/globals';
import { decodeSettings } from '../../../src/cli/job-settings.ts';
import { loadConfig } from '../../../src/config/config.ts';

const isReadInThread = (
  FRAME_THREADS: string | undefined,
  load: Parameters<typeof decodeSettings>[2],
): boolean | undefined => decodeSettings(loadConfig({ FRAME_THREADS }), null, load).isReadInThread;

test('frames are read on threads of their own where a GPU works on several videos at once, or where it is asked for', () => {
  const many = { device: 'cuda', videosAtOnce: 2 } as const;
  const few = [null, { ...many, videosAtOnce: 1 }, { device: 'cpu', videosAtOnce: 8 }] as const;
  expect([undefined, 'auto', 'on', 'off'].map((setting) => isReadInThread(setting, many))).toEqual([
    true,
    true,
    true,
    false,
  ]);
  for (const load of few) {
    expect(['auto', 'on', 'off'].map((setting) => isReadInThread(setting, load))).toEqual([false, true, false]);
  }
});
