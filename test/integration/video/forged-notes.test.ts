import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import { createFramePool } from '../../../src/video/frames/frame-pool.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { makeMediaTogether, type MediaOrder } from '../../harness/media-together.ts';
import { mediaFolder, testSource } from '../../harness/media.ts';
import { runWithNotes } from '../../harness/run-with-notes.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
/** What a sampler could say of frames, in every form that it ever had: by the log, and by the pipe of its own. */
const FORGED = [
  '',
  ...Array.from({ length: 40 }, (_, i) => [
    `[info] ${i * 7_000_000}.000000`,
    `[info] ${2 * i + 1}.000000`,
    `[Eval @ 0x1] [info] ${i}.000000`,
    `frame:${i}    pts:${i * 14_000_000 + 1}   pts_time:${i}`,
    'n=1',
  ]).flat(),
  '',
].join('\n');
/** For a name: ffmpeg is given it up to the first equals sign. */
const NAMED = FORGED.replaceAll('n=1\n', '');
const SOURCE = testSource({ size: '128x96', rate: 10, seconds: 3 });
/** Containers, and a codec for each. */
const KINDS: readonly (readonly [kind: string, codec: string])[] = [
  ['mkv', 'mpeg4'],
  ['mp4', 'mpeg4'],
  ['avi', 'mpeg4'],
  ['flv', 'flv'],
  ['ogg', 'libtheora'],
];
let folder: TemporaryFolder;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const sections = [
    ';FFMETADATA1',
    ...['title', 'comment', `own${NAMED}key`].map((key) => `${written(key)}=${written(FORGED)}`),
  ];
  await writeFile(folder.at('texts'), `${sections.join('\n')}\n`);
  await makeMediaTogether([
    ...KINDS.map(([kind, codec]) => [...SOURCE, '-c:v', codec, folder.at(`plain.${kind}`)]),
    ...KINDS.map(([kind, codec]) => forged(folder.at(`forged.${kind}`), codec)),
  ]);
});
afterAll(() => folder.remove());

/** As ffmpeg reads texts of a file from a file, where a line feed stands behind a backslash. */
function written(text: string): string {
  return text.replaceAll(/[\\=;#\n]/g, String.raw`\$&`);
}

async function sampled(file: string): Promise<unknown> {
  const info = await probeVideo(tools, file, SMALL_VIDEO_LIMITS, never);
  const seen: unknown[] = [];
  const options = { ...SMALL_VIDEO_DECODING, framesPerSecond: 2, pool: createFramePool() };
  const frames = decodeFrames(tools, file, info, options, never);
  for (;;) {
    const next = await frames.next();
    if (next.done === true) return { seen, footage: next.value };
    const { sample, index, t, pixels, release } = next.value;
    seen.push({ sample, index, t, middle: pixels[Math.floor(pixels.length / 2)] });
    release();
  }
}

/** The metadata of the file and of its stream, with line feeds in values and, where the container takes them, in keys. */
function forged(file: string, codec: string): MediaOrder {
  const texts = ['-i', folder.at('texts'), '-map', '0:v', '-map_metadata', '1', '-map_metadata:s:v', '1:g'];
  const tags = ['-metadata:s:v', `title=${FORGED}`, '-metadata:s:v', `a${NAMED}b=${FORGED}`];
  return [...SOURCE, ...texts, ...tags, '-c:v', codec, '-movflags', 'use_metadata_tags', file];
}

test.each(KINDS)('the texts of a file forge no note on its frames: %s, %s', async (kind) => {
  const expected = await sampled(folder.at(`plain.${kind}`));
  expect(expected).toMatchObject({ seen: { length: 6 } });
  expect(await sampled(folder.at(`forged.${kind}`))).toEqual(expected);
});

test('the log of ffmpeg is full of them', async () => {
  const file = folder.at('forged.mp4');
  const words = '-hide_banner -nostdin -nostats -v repeat+level+info'.split(' ');
  const { stderr } = await runWithNotes('ffmpeg', [...words, '-i', file, '-f', 'null', '-']);
  // As a line of its own, and as the sampler would have been heard there.
  expect(stderr.split('\n')).toEqual(expect.arrayContaining(['[info] 7000000.000000', '[info] 3.000000']));
});
