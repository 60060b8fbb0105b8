import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import type { Footage } from '../../../src/video/footage.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { makeMediaTogether } from '../../harness/media-together.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const limits = { ...SMALL_VIDEO_LIMITS, maxDurationSeconds: 500 };
const never = new AbortController().signal;
const H264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p'];
let folder: TemporaryFolder;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  await makeFiles();
});
afterAll(() => folder.remove());

const at = (name: string): string => folder.at(name);
const sound = (seconds: number): string[] => ['-f', 'lavfi', '-i', `sine=d=${seconds}`];
const FORMATS = ['matroska', 'flv'];

async function makeFiles(): Promise<void> {
  const six = testSource({ seconds: 6 });
  const reordered = ['-bf', '3', '-b_strategy', '0', '-x264-params', 'b-pyramid=none', '-g', '40'];
  const fragments = ['-movflags', 'frag_keyframe+empty_moov+skip_trailer', '-bf', '0', '-g', '10'];
  const longer = [...six, ...sound(20), '-map', '0', '-map', '1'];
  const late = [...sound(50), '-itsoffset', '40', ...six, '-map', '0', '-map', '1'];
  await makeMediaTogether([
    [...testSource({ seconds: 30 }), ...H264, '-g', '250', at('whole.mp4')],
    [...testSource({ seconds: 12 }), ...H264, ...reordered, '-f', 'matroska', '-live', '1', at('b.mkv')],
    ...FORMATS.map((format) => [...longer, ...H264, '-c:a', 'aac', '-f', format, at(`sound.${format}`)]),
    [...six, ...H264, ...fragments, at('fragments.mp4')],
    [...late, '-c:v', 'flv1', '-c:a', 'mp3', '-ar', '44100', '-b:a', '64k', at('late.flv')],
    [...late, ...H264, '-bf', '0', '-c:a', 'aac', at('late.ts')],
    [...testSource({ seconds: 30 }), ...H264, '-bf', '0', '-g', '100', at('keys.mp4')],
  ]);
}

interface Outcome {
  readonly promised: number;
  readonly footage: Footage;
  readonly times: readonly number[];
}

async function outcomeOf(name: string): Promise<Outcome> {
  const video = await probeVideo(tools, at(name), limits, never);
  const options = { ...SMALL_VIDEO_DECODING, maxDurationSeconds: 500 };
  const frames = decodeFrames(tools, at(name), video, options, never);
  const times: number[] = [];
  for (;;) {
    const next = await frames.next();
    if (next.done === true) return { promised: video.durationSeconds, footage: next.value, times };
    times.push(next.value.t);
  }
}

/** Promised and found alike, and nothing is missing. */
async function expectLength(name: string, seconds: number, firstT = 0): Promise<void> {
  const { promised, footage, times } = await outcomeOf(name);
  expect(footage.missing).toEqual([]);
  expect(promised).toBeCloseTo(seconds, 1);
  expect(footage.durationSeconds).toBeCloseTo(seconds, 1);
  expect(times[0]).toBeCloseTo(firstT, 1);
}

test('a recording that was trimmed without being encoded again is as long as what it shows', async () => {
  // Nothing but an edit list leaves out the eighteen seconds before.
  await makeMedia(['-ss', '18', '-i', at('whole.mp4'), '-t', '10', '-c', 'copy', at('trimmed.mp4')]);
  const { promised, footage } = await outcomeOf('trimmed.mp4');
  expect(footage.missing).toEqual([]);
  expect(promised).toBeGreaterThan(9.9);
  expect(promised).toBeLessThan(10.5);
  expect(footage.durationSeconds).toBe(promised);
});

test('pictures that are not shown in the order of decoding make a recording no longer', async () => {
  await expectLength('b.mkv', 12);
});

test.each(FORMATS)('sound that goes on longer makes a recording no longer, whatever %s says', async (format) => {
  const name = `sound.${format}`;
  const bytes = await readFile(at(name));
  // Only the whole file has a length then.
  await writeFile(at(name), Buffer.from(bytes.toString('latin1').replaceAll('DURATION', 'DURATIOX'), 'latin1'));
  const { promised, footage } = await outcomeOf(name);
  expect(promised).toBeCloseTo(6, 0);
  expect(footage).toMatchObject({ missing: [], durationSeconds: promised });
});

test('fragments are counted, whatever their header says', async () => {
  await expectLength('fragments.mp4', 6);
});

test('a video that begins long after the sound is found, at its time', async () => {
  for (const name of ['late.flv', 'late.ts']) await expectLength(name, 46, 40);
});

test('no picture is decoded behind the first one, however late that comes', async () => {
  const bytes = await readFile(at('keys.mp4'));
  // The first picture is lost, and with it all that refer to it.
  const media = bytes.indexOf('mdat') + 4;
  bytes.fill(0, media, media + 1_200);
  await writeFile(at('keys.mp4'), bytes);
  // It answers the search for a picture with two of them, and would go on for ever.
  const frame = 'frame|stream_index=0|width=64|height=48|sample_aspect_ratio=2:1';
  const script = `case "$*" in *compact*) printf '${frame}\\n\\n${frame}\\n'; exec sleep 1000;; esac; exec ffprobe "$@"`;
  await writeFile(at('ffprobe'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const patient = { ...limits, timeoutMs: 60_000 };
  expect(await probeVideo({ ...tools, ffprobe: at('ffprobe') }, at('keys.mp4'), patient, never)).toMatchObject({
    width: 128,
    height: 48,
  });
});
