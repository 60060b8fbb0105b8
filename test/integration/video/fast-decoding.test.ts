import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import type { DecodeMode } from '../../../src/video/decode/decode-mode.ts';
import type { Footage } from '../../../src/video/footage.ts';
import type { ProbedVideo } from '../../../src/video/probed-video.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { makeMediaTogether } from '../../harness/media-together.ts';
import { mediaFolder, testSource } from '../../harness/media.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
let folder: TemporaryFolder;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const orders = [...CASES, ...EXACT].map(([, name, encoder, , rate]) => [
    ...testSource({ rate, seconds: 8 }),
    ...encoder,
    folder.at(name),
  ]);
  await makeMediaTogether(orders);
});
afterAll(() => folder.remove());

const probed = (name: string): Promise<ProbedVideo> => probeVideo(tools, folder.at(name), SMALL_VIDEO_LIMITS, never);

interface Decoded {
  readonly frames: readonly { readonly index: number; readonly t: number; readonly sum: string }[];
  readonly footage: Footage;
}

async function decoded(video: ProbedVideo, name: string, mode: DecodeMode, framesPerSecond: number): Promise<Decoded> {
  const decoding = decodeFrames(
    tools,
    folder.at(name),
    video,
    { ...SMALL_VIDEO_DECODING, mode, framesPerSecond },
    never,
  );
  const frames: Decoded['frames'][number][] = [];
  for (;;) {
    const next = await decoding.next();
    if (next.done === true) return { frames, footage: next.value };
    const { index, t, pixels } = next.value;
    frames.push({ index, t, sum: createHash('md5').update(pixels).digest('hex') });
  }
}

/** What it shows, name of the file, its encoder, samples per second, frames of the recording per second. */
type Case = readonly [what: string, name: string, encoder: readonly string[], framesPerSecond: number, rate: number];

const X264 = (options: string): readonly string[] => [
  '-c:v',
  'libx264',
  '-pix_fmt',
  'yuv420p',
  '-x264-params',
  options,
];
const X265 = (options: string): readonly string[] => {
  const alone = 'log-level=none:pools=none:frame-threads=1';
  return ['-c:v', 'libx265', '-x265-params', `${alone}:${options}`];
};

/** In milliseconds. */
const STUCK = ['-bsf:v', "setts=pts='min(PTS,1000)':dts='min(DTS,900)'"];

const CASES: readonly Case[] = [
  ['H.264', 'h264.mp4', X264('bframes=3'), 1.5, 30],
  ['a transport stream', 'h264.ts', X264('bframes=3'), 1.5, 30],
  ['open groups', 'open-gop.mkv', X264('keyint=15:open-gop=1:bframes=3'), 1.5, 30],
  ['slices', 'slices.mp4', X264('keyint=60:slices=4:bframes=2'), 1.5, 30],
  ['fields', 'interlaced.mp4', X264('tff=1:bframes=3'), 1.5, 30],
  ['no whole key frames', 'refresh.mp4', X264('keyint=30:intra-refresh=1:bframes=2'), 1.5, 30],
  ['H.265', 'hevc.mp4', X265('bframes=4'), 1.5, 30],
  ['open groups of H.265', 'hevc-open.mkv', X265('keyint=15:open-gop=1'), 1.5, 30],
  ['many key frames', 'often.mp4', X264('keyint=15:scenecut=0'), 1.5, 30],
  ['few key frames', 'seldom.mp4', X264('keyint=60:scenecut=0'), 0.5, 30],
];

/** Of 240. Where every interval has a key frame, those alone; of a usual recording about half. */
const DECODED_FRAMES = new Map<string, readonly [fewest: number, most: number]>([
  ['often.mp4', [16, 16]],
  ['seldom.mp4', [4, 4]],
  ['h264.mp4', [61, 167]],
]);

describe('a fast decoding has frames of the exact one, in their pixels and at their times', () => {
  test.each(CASES)('%s: %s', async (_what, name, _encoder, framesPerSecond) => {
    const video = await probed(name);
    const all = await decoded(video, name, 'exact', 60);
    const fast = await decoded(video, name, 'fast', framesPerSecond);
    const known = new Map(all.frames.map(({ t, sum }) => [t, sum]));
    expect(known.size).toBe(240);
    for (const { t, sum } of fast.frames) expect(known.get(t)).toBe(sum);
    expect(fast.footage).toMatchObject({ durationSeconds: all.footage.durationSeconds, missing: [], decode: 'fast' });
    // Each interval has a sample, as exact ones; the last one may be without.
    const slots = fast.frames.map(({ t }) => Math.floor((t + 1e-6) * framesPerSecond));
    const intervals = 8 * framesPerSecond;
    expect(slots).toEqual(Array.from(slots, (_, i) => i));
    expect(slots.length).toBeGreaterThanOrEqual(intervals - 1);
    expect(slots.length).toBeLessThanOrEqual(intervals);
    const [fewest, most] = DECODED_FRAMES.get(name) ?? [0, 240];
    expect(fast.footage.decodedFrames).toBeGreaterThanOrEqual(fewest);
    expect(fast.footage.decodedFrames).toBeLessThanOrEqual(most);
  });

  test('is the same each time', async () => {
    const video = await probed('h264.mp4');
    expect(await decoded(video, 'h264.mp4', 'fast', 1.5)).toEqual(await decoded(video, 'h264.mp4', 'fast', 1.5));
  });
});

const EXACT: readonly Case[] = [
  ['a codec whose frames are not left out', 'mpeg4.mp4', ['-c:v', 'mpeg4', '-bf', '2'], 1.5, 30],
  [
    'frames in a row that nobody refers to, longer than an interval',
    'b16.mp4',
    X264('bframes=16:b-adapt=0:b-pyramid=none'),
    1.5,
    10,
  ],
  ['too few frames for each sample', 'slow.mp4', X264('bframes=3'), 1.5, 5],
  [
    'a container that does not tell when a picture is shown',
    'reordered.avi',
    X264('bframes=3:keyint=12:open-gop=1'),
    1.5,
    30,
  ],
  [
    'packets that do not tell when they are shown',
    'untimed.mpg',
    [...X264('bframes=3:keyint=12'), '-f', 'mpeg'],
    1.5,
    30,
  ],
  ['a clock that stands still after a second', 'stuck.mkv', [...X264('bframes=3'), ...STUCK], 1.5, 30],
];

describe('a fast decoding is exact where it must be', () => {
  test.each(EXACT)('%s', async (_what, name, _encoder, framesPerSecond) => {
    const video = await probed(name);
    const exact = await decoded(video, name, 'exact', framesPerSecond);
    const fast = await decoded(video, name, 'fast', framesPerSecond);
    expect(fast.frames.map(({ t, sum }) => ({ t, sum }))).toEqual(exact.frames.map(({ t, sum }) => ({ t, sum })));
    expect(fast.footage).toMatchObject({ ...exact.footage, decode: fast.footage.decode });
  });
});
