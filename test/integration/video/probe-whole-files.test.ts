import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import type { Footage } from '../../../src/video/footage.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import type { ProbedVideo } from '../../../src/video/probed-video.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { makeMediaTogether } from '../../harness/media-together.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
const TS_BYTES = 188;
const TABLES = new Set([0x00, 0x11, 0x1000]);
let folder: TemporaryFolder;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const sound = ['-f', 'lavfi', '-i', 'sine=d=6'];
  const codecs = ['-c:v', 'libx264', '-g', '10', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
  const cover = [...testSource(), ...testSource({ size: '32x32', seconds: 0.1 }), '-map', '0', '-map', '1'];
  const covered = ['-c:v:0', 'mpeg4', '-c:v:1', 'mjpeg', '-disposition:v:1', 'attached_pic'];
  await makeMediaTogether([
    [...testSource({ seconds: 6 }), ...sound, '-map', '0', '-map', '1', ...codecs, folder.at('whole.ts')],
    [...cover, ...covered, folder.at('cover.mp4')],
    [...testSource(), '-c:v', 'mpeg4', folder.at('plain.mkv')],
    [...testSource(), '-c:v', 'libx264', '-bf', '2', '-pix_fmt', 'yuv420p', folder.at('late.flv')],
  ]);
});
afterAll(() => folder.remove());

async function judged(name: string): Promise<{ video: ProbedVideo; footage: Footage }> {
  const video = await probeVideo(tools, folder.at(name), SMALL_VIDEO_LIMITS, never);
  const frames = decodeFrames(tools, folder.at(name), video, SMALL_VIDEO_DECODING, never);
  for (;;) {
    const { done, value } = await frames.next();
    if (done === true) return { video, footage: value };
  }
}

function packetsOf(file: Buffer): readonly Buffer[] {
  return Array.from({ length: file.length / TS_BYTES }, (_, at) => file.subarray(at * TS_BYTES, (at + 1) * TS_BYTES));
}

describe('nothing is missing of a whole transport stream', () => {
  test('that no table describes', async () => {
    const packets = packetsOf(await readFile(folder.at('whole.ts')));
    const bare = packets.filter((packet) => !TABLES.has(packet.readUInt16BE(1) & 0x1fff));
    expect(bare.length).toBeLessThan(packets.length);
    await writeFile(folder.at('bare.ts'), Buffer.concat(bare));
    const { footage } = await judged('bare.ts');
    expect(footage).toMatchObject({ decodedFrames: 60, missing: [] });
    expect(footage.durationSeconds).toBeCloseTo(6.02, 1);
  });

  test.each(['ff', '00'])('that is filled up with packets of %s', async (byte) => {
    const padding = Buffer.from(`471fff10${byte.repeat(TS_BYTES - 4)}`, 'hex');
    const filled = [await readFile(folder.at('whole.ts')), ...Array.from({ length: 6_000 }, () => padding)];
    await writeFile(folder.at('filled.ts'), Buffer.concat(filled));
    const { footage } = await judged('filled.ts');
    expect(footage).toMatchObject({ decodedFrames: 60, missing: [] });
  });
});

test('a cover beside a video costs no count of its packets', async () => {
  const { video, footage } = await judged('cover.mp4');
  expect(video).toMatchObject({ streamIndex: 0, width: 64, packets: null });
  expect(footage).toMatchObject({ durationSeconds: 3, decodedFrames: 30, missing: [] });
});

test('a video may have more tags than anybody reads', async () => {
  const metadata = Array.from({ length: 50 }, (_, n) => `note${n}=${'x'.repeat(100_000)}\n`).join('');
  await writeFile(folder.at('tags.txt'), `;FFMETADATA1\n${metadata}`);
  const tagged = ['-i', folder.at('plain.mkv'), '-i', folder.at('tags.txt'), '-map_metadata', '1', '-c', 'copy'];
  await makeMedia([...tagged, folder.at('tags.mkv')]);
  expect((await judged('tags.mkv')).footage).toMatchObject({ durationSeconds: 3, decodedFrames: 30, missing: [] });
});

test('the length of an FLV counts from the zero of its clock, its pictures from their first one', async () => {
  expect((await judged('late.flv')).footage).toMatchObject({ durationSeconds: 3, decodedFrames: 30, missing: [] });
});
