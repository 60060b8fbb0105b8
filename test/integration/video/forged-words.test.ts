import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import { createFramePool } from '../../../src/video/frames/frame-pool.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { makeMedia, mediaFolder, testSource } from '../../harness/media.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
const DOCUMENT_TYPE = Buffer.from([0x42, 0x82]);
const KIND = 'matroska';
let folder: TemporaryFolder;
let tools: FfmpegTools;
let damaged: Buffer;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const source = testSource({ size: '128x96', rate: 10, seconds: 2 });
  await makeMedia([...source, '-c:v', 'mpeg4', '-bsf:v', 'noise=amount=1', folder.at('damaged.mkv')]);
  damaged = await readFile(folder.at('damaged.mkv'));
});
afterAll(() => folder.remove());

/** The damaged recording with another type of document in its header, which ffmpeg prints with its line feeds as it is. */
function withDocumentType(text: string): Buffer {
  const headerBytes = 5 + (damaged[4] ?? 0) - 0x80;
  const at = damaged.indexOf(DOCUMENT_TYPE);
  const header = Buffer.concat([
    damaged.subarray(5, at),
    DOCUMENT_TYPE,
    sizeOf(text.length),
    Buffer.from(text),
    damaged.subarray(at + 3 + KIND.length, headerBytes),
  ]);
  return Buffer.concat([damaged.subarray(0, 4), sizeOf(header.length), header, damaged.subarray(headerBytes)]);
}

/** As Matroska writes the size of an element, in two bytes. */
function sizeOf(bytes: number): Buffer {
  return Buffer.from([0x40 | (bytes >> 8), bytes & 0xff]);
}

async function outcome(file: string): Promise<string> {
  try {
    const info = await probeVideo(tools, file, SMALL_VIDEO_LIMITS, never);
    const options = { ...SMALL_VIDEO_DECODING, framesPerSecond: 10, pool: createFramePool() };
    for await (const { release } of decodeFrames(tools, file, info, options, never)) release();
    return 'frames';
  } catch (error) {
    return error instanceof Failure ? `${error.class} ${error.code}` : String(error);
  }
}

test('a recording of noise has no frames', async () => {
  expect(await outcome(folder.at('damaged.mkv'))).toBe('permanent VIDEO_NO_FRAMES');
});

test.each([
  ['threads', 'pthread_create failed: Resource temporarily unavailable'],
  ['threads to begin with', 'Error while opening decoder: Resource temporarily unavailable'],
  ['memory to begin with', 'Error while opening decoder: Cannot allocate memory'],
  ['descriptors', 'file:video: Too many open files'],
  ['a good disk', 'file:video: Stale file handle'],
])('a file that says in the words of ffmpeg that the host lacks %s does not convict it', async (_what, words) => {
  const file = folder.at('forged.mkv');
  const lines = Array.from({ length: 8 }, () => `[error] ${words}`);
  await writeFile(file, withDocumentType(`${KIND}'\n${lines.join('\n')}\n'`));
  expect(['temporary DECODER_INTERRUPTED', 'permanent VIDEO_NO_FRAMES']).toContain(await outcome(file));
});
