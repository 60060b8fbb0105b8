import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { chmod, readFile, truncate, stat, writeFile } from 'node:fs/promises';
import { decodeFrames, type DecodeOptions } from '../../../src/video/decode/decode.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { makeMediaTogether } from '../../harness/media-together.ts';
import { makeMedia, makeSound, mediaFolder, testSource } from '../../harness/media.ts';
import { childrenOf, untilGone, type ProcessFacts } from '../../harness/processes.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const limits = SMALL_VIDEO_LIMITS;
const options = SMALL_VIDEO_DECODING;
/** Bytes without any meaning, the same ones each time. */
const NOISE = Buffer.concat(Array.from({ length: 2_000 }, (_, i) => createHash('sha256').update(String(i)).digest()));
/** `ftyp`, of the brand `isom`. */
const FIRST_BOX = Buffer.from('000000146674797069736f6d0000020069736f6d', 'hex');
/** Of three seconds at ten frames a second. What it is, name of the file, how it is encoded. */
const USUAL: readonly (readonly [string, string, readonly string[]])[] = [
  ['h264 with B-frames in MP4', 'h264.mp4', ['-c:v', 'libx264', '-bf', '2', '-pix_fmt', 'yuv420p']],
  [
    '10-bit HEVC in Matroska',
    'hevc.mkv',
    ['-c:v', 'libx265', '-pix_fmt', 'yuv420p10le', '-x265-params', 'log-level=none:pools=none:frame-threads=1'],
  ],
  ['AV1 in MP4', 'av1.mp4', ['-c:v', 'libaom-av1', '-cpu-used', '8', '-pix_fmt', 'yuv420p']],
  ['VP9 in WebM', 'vp9.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime']],
  ['MPEG-4 in AVI', 'mpeg4.avi', ['-c:v', 'mpeg4']],
  [
    'H.264 in MPEG-TS, which starts late',
    'late.ts',
    ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-output_ts_offset', '7'],
  ],
];

/** Times 0, 0.1, ... 0.9, then 1.5, 2.5, 3.5. */
const UNEVEN = "setpts='if(lt(N,10),N,10*(N-10)+15)/10/TB'";
/** Two seconds at 25 frames per second, then a frame every five seconds: each of them waits for two more. */
const SILENT = "setpts='if(lt(N,50),N/25,2+5*(N-50))/TB'";
const X264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p'];
const turnedBy = (degrees: number): string[] => {
  const message = `h264_metadata=rotate=${degrees}`;
  return ['-bf', '0', '-bsf:v', message, '-f', 'h264'];
};
/** Name of the file, its pictures, how they are encoded. */
const OTHERS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['slow.mp4', testSource({ rate: 1, seconds: 4 }), ['-c:v', 'mpeg4']],
  ['vfr.mkv', testSource({ seconds: 1.3 }), ['-vf', UNEVEN, '-fps_mode', 'vfr', ...X264]],
  ['odd.mkv', testSource({ size: '63x47' }), ['-c:v', 'ffv1', '-pix_fmt', 'bgr0']],
  ['upright.mov', testSource({ size: '63x47' }), ['-c:v', 'png', '-pix_fmt', 'rgb24']],
  [
    'silences.mkv',
    testSource({ size: '640x480', rate: 25, seconds: 2.32 }),
    ['-vf', SILENT, '-fps_mode', 'vfr', '-c:v', 'mpeg4'],
  ],
  ['upright.h264', testSource(), [...X264, ...turnedBy(0)]],
  ['turned.h264', testSource(), [...X264, ...turnedBy(90)]],
  ['cut.mkv', testSource(), ['-c:v', 'libx264', '-g', '5']],
  ['as-allowed.mkv', testSource({ rate: 30, seconds: 4 }), X264],
  ['as-allowed.avi', testSource({ rate: 30, seconds: 4 }), X264],
  ['long.mp4', testSource({ size: '640x480', rate: 30, seconds: 4 }), ['-c:v', 'mpeg4']],
];
const never = new AbortController().signal;
let folder: TemporaryFolder;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  await makeMediaTogether([
    ...USUAL.map(([, file, args]) => [...testSource(), ...args, at(file)]),
    ...OTHERS.map(([file, source, args]) => [...source, ...args, at(file)]),
  ]);
});
afterAll(() => folder.remove());

const at = (name: string): string => folder.at(name);

async function indices(file: string, change: Partial<DecodeOptions> = {}): Promise<number[]> {
  const info = await probeVideo(tools, file, limits, never);
  const found: number[] = [];
  for await (const frame of decodeFrames(tools, file, info, { ...options, ...change }, never)) {
    expect(frame.pixels.length).toBe(info.width * info.height * 3);
    expect(frame.pixels.byteOffset).toBe(0);
    expect(frame.sample).toBe(found.length);
    found.push(frame.index);
  }
  return found;
}

async function firstPixels(file: string): Promise<Uint8Array> {
  const info = await probeVideo(tools, file, limits, never);
  for await (const frame of decodeFrames(tools, file, info, options, never)) return frame.pixels;
  throw new Error('no frame');
}

describe('sampling by time', () => {
  test.each(USUAL)('%s', async (_name, file) => {
    expect(await indices(at(file))).toEqual([0, 7, 14, 20, 27]);
  });

  test('a source slower than the sampling gives each frame once', async () => {
    expect(await indices(at('slow.mp4'))).toEqual([0, 1, 2, 3]);
  });

  test('variable frame rate: the first frame at or after each instant', async () => {
    // Instants 0.667 -> 0.7, 1.333 -> 1.5, 2 -> 2.5, 3.333 -> 3.5.
    expect(await indices(at('vfr.mkv'))).toEqual([0, 7, 10, 11, 12]);
  });

  test('odd sizes and rotation: pixels in display orientation', async () => {
    expect(await indices(at('odd.mkv'))).toHaveLength(5);
    await makeMedia(['-i', at('upright.mov'), '-c', 'copy', '-metadata:s:v', 'rotate=90', at('turned.mov')]);
    const info = await probeVideo(tools, at('turned.mov'), limits, never);
    expect(info).toMatchObject({ width: 47, height: 63 });
    const turned = await firstPixels(at('turned.mov'));
    const upright = await firstPixels(at('odd.mkv'));
    // Where the top left corner of the stored picture is shown: top right after 90 degrees clockwise, bottom left after 270.
    const corner = { 90: 46, 270: 62 * 47 }[info.rotation] ?? Number.NaN;
    expect([...turned.subarray(corner * 3, corner * 3 + 3)]).toEqual([...upright.subarray(0, 3)]);
    // And its top right corner: bottom right after 90 degrees, top left after 270.
    const other = { 90: 62 * 47 + 46, 270: 0 }[info.rotation] ?? Number.NaN;
    expect([...turned.subarray(other * 3, other * 3 + 3)]).toEqual([...upright.subarray(62 * 3, 63 * 3)]);
  });
});

describe('a decoder that waits', () => {
  test('pictures whose times need those of others come out, though each is more than a pipe holds', async () => {
    expect((await indices(at('silences.mkv'))).slice(3)).toEqual([50, 51, 52, 53, 54, 55, 56, 57]);
  });

  test('a recording that is turned in its middle goes on', async () => {
    // ffmpeg builds its filters anew where the orientation of frames changes.
    await writeFile(
      at('both.h264'),
      Buffer.concat([await readFile(at('upright.h264')), await readFile(at('turned.h264'))]),
    );
    await makeMedia(['-r', '10', '-i', at('both.h264'), '-c', 'copy', at('turned.mp4')]);
    const info = await probeVideo(tools, at('turned.mp4'), limits, never);
    const decoding = decodeFrames(tools, at('turned.mp4'), info, options, never);
    const times: number[] = [];
    let next = await decoding.next();
    for (; next.done !== true; next = await decoding.next()) times.push(next.value.t);
    expect(next.value).toMatchObject({ decodedFrames: 60, durationSeconds: 6, missing: [] });
    // A sample may come late in its interval where they are built anew; no interval is without one.
    expect(times.map((t) => Math.floor((t + 1e-6) * 1.5))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

describe('bad files', () => {
  test.each<[string, string, string | Buffer, string]>([
    ['text', 'text', 'hello', 'NOT_A_VIDEO'],
    ['noise', 'noise', NOISE, 'NOT_A_VIDEO'],
    // The name makes ffprobe look for the index of an MP4.
    ['noise named like a video', 'noise.mp4', NOISE, 'NOT_A_VIDEO'],
    // What begins as one and lacks it was most often cut off.
    ['noise behind the begin of a video', 'begin.mp4', Buffer.concat([FIRST_BOX, NOISE]), 'VIDEO_TRUNCATED'],
    ['letters that look like sound', 'letters', `#!AMR${'x9'.repeat(5_000)}`, 'NOT_A_VIDEO'],
  ])('%s is refused', async (_name, file, text, code) => {
    await writeFile(at(file), text);
    await expect(probeVideo(tools, at(file), limits, never)).rejects.toMatchObject({ code, class: 'permanent' });
  });

  test('sound alone', async () => {
    await makeSound(at('sound.m4a'));
    await expect(probeVideo(tools, at('sound.m4a'), limits, never)).rejects.toMatchObject({ code: 'NO_VIDEO_STREAM' });
  });

  test('a file cut in half is truncated, and the words of ffmpeg name no folder', async () => {
    await truncate(at('cut.mkv'), Math.floor((await stat(at('cut.mkv'))).size / 2));
    const error: unknown = await indices(at('cut.mkv')).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'VIDEO_TRUNCATED',
      details: { lastWords: expect.stringContaining('ended prematurely') },
    });
    expect(JSON.stringify(error)).not.toContain(folder.path);
  });

  test.each([
    ['VIDEO_DIMENSIONS', { maxPixels: 100 }],
    ['VIDEO_TOO_LONG', { maxDurationSeconds: 1 }],
    ['VIDEO_TOO_LONG', { maxFrames: 5 }],
    ['VIDEO_FRAME_RATE', { maxFrameRate: 5 }],
    ['VIDEO_TOO_MANY_STREAMS', { maxStreams: 0 }],
  ])('%s', async (code, change) => {
    await expect(probeVideo(tools, at('h264.mp4'), { ...limits, ...change }, never)).rejects.toMatchObject({ code });
  });

  // Of the one the last frame's own length, of the other all its times are told later than they are shown.
  test.each(['mkv', 'avi'])('no video for being as long as is allowed: %s', async (container) => {
    const file = at(`as-allowed.${container}`);
    const info = await probeVideo(tools, file, { ...limits, maxDurationSeconds: 4 }, never);
    const frames = decodeFrames(tools, file, info, { ...options, maxDurationSeconds: 4 }, never);
    let samples = 0;
    for await (const { sample } of frames) samples = sample + 1;
    expect(samples).toBe(6);
  });
});

describe('the child', () => {
  test.each([
    ['is busy and makes nothing of it', 'while :; do :; done', { code: 'VIDEO_DECODE_TIMEOUT', class: 'permanent' }],
    // As one that is stopped, frozen with its cgroup, swapped out, or waiting for a disk.
    ['does not get to work', 'wait; wait', { code: 'DECODER_INTERRUPTED', class: 'temporary' }],
  ])('a silent decoder that %s is killed at its deadline, with its child', async (_what, script, end) => {
    const stub = at('hang');
    await writeFile(stub, `#!/bin/sh\ntrap '' TERM\nsleep 1000 &\necho $$ $! >&2\n${script}\n`);
    await chmod(stub, 0o700);
    const info = await probeVideo(tools, at('h264.mp4'), limits, never);
    const frames = decodeFrames(
      { ...tools, ffmpeg: stub },
      at('h264.mp4'),
      info,
      { ...options, stallTimeoutMs: 2_000 },
      never,
    );
    const error = (await frames.next().catch((reason: unknown) => reason)) as { details: { lastWords: string } };
    expect(error).toMatchObject(end);
    const pids = error.details.lastWords.split(' ').map(Number);
    expect(pids).toHaveLength(2);
    // SIGKILL is a promise of the kernel: a grandchild that nobody waits for ends a moment later.
    for (const pid of pids) await untilGone(pid);
  });

  test('an abort midway rejects with the reason and leaves no process', async () => {
    const info = await probeVideo(tools, at('long.mp4'), limits, never);
    const controller = new AbortController();
    const frames = decodeFrames(tools, at('long.mp4'), info, { ...options, framesPerSecond: 30 }, controller.signal);
    await frames.next();
    expect(await decoders()).toHaveLength(1);
    controller.abort(new Error('enough'));
    await expect(frames.next()).rejects.toThrow('enough');
    expect(await decoders()).toHaveLength(0);
  });
});

async function decoders(): Promise<readonly ProcessFacts[]> {
  return (await childrenOf()).filter(({ name }) => name === 'ffmpeg');
}
