import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { bytesWritten, childrenOf } from '../../harness/processes.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
const limits = SMALL_VIDEO_LIMITS;
const FRAMES = 300;
const FRAME_BYTES = 320 * 240 * 3;
let folder: TemporaryFolder;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const source = testSource({ size: '320x240', rate: 30, seconds: 10 });
  await makeMedia([...source, '-c:v', 'mpeg4', folder.at('long.mp4')]);
});
afterAll(() => folder.remove());

test.each([
  ['here', null],
  ['on a thread of their own', 0],
])(
  'ffmpeg stays a few frames ahead of a consumer that waits, read %s, and loses none',
  async (_where, threadFromBytes) => {
    const options = { ...SMALL_VIDEO_DECODING, framesPerSecond: 30, threadFromBytes };
    const file = folder.at('long.mp4');
    const info = await probeVideo(tools, file, limits, never);
    const slow = decodeFrames(tools, file, info, options, never);
    await slow.next();
    const pid = await ffmpegPid();
    // While the consumer waits, the whole video goes through another decoder: the first had the time to run away.
    let others = 0;
    for await (const _frame of decodeFrames(tools, file, info, options, never)) others += 1;
    expect(others).toBe(FRAMES);
    const aheadFrames = (await bytesWritten(pid)) / FRAME_BYTES;
    // One taken, two waiting, one begun, and what fits into the buffers of the pipe.
    expect(aheadFrames).toBeGreaterThan(2);
    expect(aheadFrames).toBeLessThan(10);
    let taken = 1;
    for await (const frame of slow) {
      expect(frame.sample).toBe(taken);
      taken += 1;
    }
    expect(taken).toBe(FRAMES);
  },
);

async function ffmpegPid(): Promise<number> {
  const found = (await childrenOf()).find(({ name }) => name === 'ffmpeg');
  if (found === undefined) throw new Error('no ffmpeg is running');
  return found.pid;
}
