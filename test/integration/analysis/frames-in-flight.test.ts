import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { analyzeVideo } from '../../../src/analysis/analyze-video.ts';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../src/analysis/settings.ts';
import { withDecodedFrames } from '../../../src/video/decode/decode.ts';
import { createFramePool, type FramePool } from '../../../src/video/frames/frame-pool.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { FakeChain } from '../../harness/fake-chain.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';

const FRAMES = 40;
const UNDER_WAY = 32;

let folder: string;
let tools: FfmpegTools;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frames-in-flight-'));
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the decoder fills the chain with frames of one video before the first is answered', async () => {
  const file = join(folder, 'one.mp4');
  const source = ['-f', 'lavfi', '-i', `testsrc2=size=320x240:rate=10:duration=${FRAMES / 10}`];
  await promisify(execFile)(tools.ffmpeg, ['-v', 'error', ...source, '-pix_fmt', 'yuv420p', file], { timeout: 60_000 });
  const { signal } = new AbortController();
  const full = Promise.withResolvers<void>();
  let asked = 0;
  const chain = new FakeChain(() => [], {
    // Nobody is answered before all are asked about: whatever held one back would end this test by its limit.
    before: async (stage) => {
      if (stage === 'detection') asked += 1;
      if (asked === UNDER_WAY) full.resolve();
      await full.promise;
    },
  });
  const pool = createFramePool();
  let mostLent = 0;
  const counted: FramePool = {
    stats: () => pool.stats(),
    take: (bytes) => {
      const slot = pool.take(bytes);
      mostLent = Math.max(mostLent, pool.stats().lent);
      return slot;
    },
  };
  const info = await probeVideo(tools, file, SMALL_VIDEO_LIMITS, signal);
  const decoding = { ...SMALL_VIDEO_DECODING, framesPerSecond: 10, pool: counted };
  const { frames } = await withDecodedFrames([tools, file, info, decoding, signal], (video) =>
    analyzeVideo(
      { videoId: 'one', info, ...video, workspaceDir: folder },
      { chain, describer: null },
      { ...DEFAULT_ANALYSIS_SETTINGS, framesPerSecond: 10, framesInFlight: UNDER_WAY, scene: 'off' },
      () => undefined,
      signal,
    ),
  );
  expect(frames).toHaveLength(FRAMES);
  expect(chain.mostOpen).toBe(UNDER_WAY);
  // Beside those under way two that wait and the one that is filled: what the plan allows memory for.
  expect(mostLent).toBeLessThanOrEqual(UNDER_WAY + 3);
  expect(pool.stats().lent).toBe(0);
});
