import { chmod, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkTools } from '../../../src/video/check/check-tools.ts';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import { createFramePool } from '../../../src/video/frames/frame-pool.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import type { ProbedVideo } from '../../../src/video/probed-video.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
/** Of nobody: the limit counts all threads of a user, and root's are not limited. */
const NOBODYS = 4_121_234;
const DECODER_THREADS = 3;
let folder: TemporaryFolder;
let tools: FfmpegTools;
let info: ProbedVideo;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  await makeMedia([...testSource({ size: '320x240', rate: 10, seconds: 2 }), '-c:v', 'mpeg4', folder.at('video.mp4')]);
  info = await probeVideo(tools, folder.at('video.mp4'), SMALL_VIDEO_LIMITS, never);
  await chmod(folder.path, 0o755);
  await chmod(folder.at('video.mp4'), 0o644);
});
afterAll(() => folder.remove());

/** What comes of a good video where its user may have so many threads, and of the clip that is built in. */
async function outcomesWith(threads: number): Promise<{ readonly video: string; readonly clip: string }> {
  const ffmpeg = folder.at(`ffmpeg-${threads}`);
  const user = process.getuid?.() === 0 ? `setpriv --reuid=${NOBODYS} --clear-groups ` : '';
  // The clip is its owner's alone.
  const readable = 'if [ -e check ]; then chmod 644 check; fi';
  await writeFile(ffmpeg, `#!/bin/sh\n${readable}\nexec ${user}prlimit --nproc=${threads} ${tools.ffmpeg} "$@"\n`, {
    mode: 0o755,
  });
  const limited = { ...tools, ffmpeg };
  const options = { ...SMALL_VIDEO_DECODING, framesPerSecond: 10, threads: DECODER_THREADS, pool: createFramePool() };
  return {
    video: await outcomeOf(async () => {
      let frames = 0;
      for await (const { release } of decodeFrames(limited, folder.at('video.mp4'), info, options, never)) {
        release();
        frames += 1;
      }
      return `${frames} frames`;
    }),
    clip: await outcomeOf(async () => {
      await checkTools(limited, folder.path, DECODER_THREADS, never);
      return 'right';
    }),
  };
}

async function outcomeOf(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return message.includes('TasksMax') ? String(code) : message;
  }
}

test('a good video is never rejected where the host has too few threads for ffmpeg, and the clip proves that', async () => {
  const outcomes: string[] = [];
  const isEnough = (outcome: string | undefined): boolean => outcome === '20 frames, right';
  // Where two numbers in a row are enough, larger ones are.
  for (let threads = 1; threads <= 14 && !(isEnough(outcomes.at(-1)) && isEnough(outcomes.at(-2))); threads++) {
    const { video, clip } = await outcomesWith(threads);
    outcomes.push(`${video}, ${clip}`);
  }
  expect(outcomes[0]).toBe('DECODER_INTERRUPTED, HOST_FAULT');
  expect([...new Set(outcomes)].toSorted()).toEqual(['20 frames, right', 'DECODER_INTERRUPTED, HOST_FAULT']);
});
