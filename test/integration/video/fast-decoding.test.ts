import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import type { DecodeMode } from '../../../src/video/decode/decode-mode.ts';
import type { Footage } from '../../../src/video/footage.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
let folder: TemporaryFolder;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
});
afterAll(() => folder.remove());

interface Decoded {
  readonly frames: readonly { readonly index: number; readonly t: number; readonly sum: string }[];
  readonly footage: Footage;
}

async function decoded(file: string, mode: DecodeMode, framesPerSecond: number): Promise<Decoded> {
  const info = await probeVideo(tools, file, SMALL_VIDEO_LIMITS, never);
  const decoding = decodeFrames(tools, file, info, { ...SMALL_VIDEO_DECODING, mode, framesPerSecond }, never);
  const frames: Decoded['frames'][number][] = [];
  for (;;) {
    const next = await decoding.next();
    if (next.done === true) return { frames, footage: next.value };
    const { index, t, pixels } = next.value;
    frames.push({ index, t, sum: createHash('md5').update(pixels).digest('hex') });
  }
}

/** Name of the file, its encoder, and samples per second. */
type Case = readonly [name: string, encoder: readonly string[], framesPerSecond: number];

const X264 = (options: string): readonly string[] => [
  '-c:v',
  'libx264',
  '-pix_fmt',
  'yuv420p',
  '-x264-params',
  options,
];
const X265 = (options: string): readonly string[] => ['-c:v', 'libx265', '-x265-params', `log-level=none:${options}`];

/** In milliseconds. */
const STUCK = ['-bsf:v', "setts=pts='min(PTS,1000)':dts='min(DTS,900)'"];

async function make(name: string, encoder: readonly string[], rate = 30): Promise<string> {
  const file = folder.at(name);
  await makeMedia([...testSource({ rate, seconds: 8 }), ...encoder, file]);
  return file;
}

describe('a fast decoding has frames of the exact one, in their pixels and at their times', () => {
  const cases: readonly Case[] = [
    ['h264.mp4', X264('bframes=3'), 1.5],
    ['h264.ts', X264('bframes=3'), 1.5],
    ['open-gop.mkv', X264('keyint=15:open-gop=1:bframes=3'), 1.5],
    ['slices.mp4', X264('keyint=60:slices=4:bframes=2'), 1.5],
    ['interlaced.mp4', X264('tff=1:bframes=3'), 1.5],
    ['refresh.mp4', X264('keyint=30:intra-refresh=1:bframes=2'), 1.5],
    ['hevc.mp4', X265('bframes=4'), 1.5],
    ['hevc-open.mkv', X265('keyint=15:open-gop=1'), 1.5],
    ['often.mp4', X264('keyint=15:scenecut=0'), 1.5],
    ['seldom.mp4', X264('keyint=60:scenecut=0'), 0.5],
  ];

  test.each(cases)('%s', async (name, encoder, framesPerSecond) => {
    const file = await make(name, encoder);
    const exact = await decoded(file, 'exact', framesPerSecond);
    const all = await decoded(file, 'exact', 60);
    const fast = await decoded(file, 'fast', framesPerSecond);
    const known = new Map(all.frames.map(({ t, sum }) => [t, sum]));
    for (const { t, sum } of fast.frames) expect(known.get(t)).toBe(sum);
    expect(fast.footage).toMatchObject({ durationSeconds: exact.footage.durationSeconds, missing: [], decode: 'fast' });
    // The same intervals have a sample; the last one may be without.
    const slots = (frames: Decoded['frames']): number[] =>
      frames.map(({ t }) => Math.floor((t + 1e-6) * framesPerSecond));
    const missing = exact.frames.length - fast.frames.length;
    expect(missing).toBeLessThanOrEqual(1);
    expect(slots(fast.frames)).toEqual(slots(exact.frames).slice(0, fast.frames.length));
    expect(await decoded(file, 'fast', framesPerSecond)).toEqual(fast);
  });

  test('key frames alone are decoded where every interval has one', async () => {
    const often = await decoded(folder.at('often.mp4'), 'fast', 1.5);
    expect(often.footage.decodedFrames).toBe(16);
    const seldom = await decoded(folder.at('seldom.mp4'), 'fast', 0.5);
    expect(seldom.footage.decodedFrames).toBe(4);
  });

  test('half of the frames of a usual recording are left out', async () => {
    const { footage } = await decoded(folder.at('h264.mp4'), 'fast', 1.5);
    expect(footage.decodedFrames).toBeGreaterThan(240 / 4);
    expect(footage.decodedFrames).toBeLessThan(240 * 0.7);
  });
});

describe('a fast decoding is exact where it must be', () => {
  test.each([
    ['a codec whose frames are not left out', 'mpeg4.mp4', ['-c:v', 'mpeg4', '-bf', '2'], 30],
    [
      'frames in a row that nobody refers to, longer than an interval',
      'b16.mp4',
      X264('bframes=16:b-adapt=0:b-pyramid=none'),
      10,
    ],
    ['too few frames for each sample', 'slow.mp4', X264('bframes=3'), 5],
    [
      'a container that does not tell when a picture is shown',
      'reordered.avi',
      X264('bframes=3:keyint=12:open-gop=1'),
      30,
    ],
    ['packets that do not tell when they are shown', 'untimed.mpg', [...X264('bframes=3:keyint=12'), '-f', 'mpeg'], 30],
    ['a clock that stands still after a second', 'stuck.mkv', [...X264('bframes=3'), ...STUCK], 30],
  ])('%s', async (_what, name, encoder, rate) => {
    const file = await make(name, encoder, rate);
    const exact = await decoded(file, 'exact', 1.5);
    const fast = await decoded(file, 'fast', 1.5);
    expect(fast.frames.map(({ t, sum }) => ({ t, sum }))).toEqual(exact.frames.map(({ t, sum }) => ({ t, sum })));
    expect(fast.footage).toMatchObject({ ...exact.footage, decode: fast.footage.decode });
  });
});
