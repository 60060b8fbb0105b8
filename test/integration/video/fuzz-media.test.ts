import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { seededRandom } from '../../chaos/random.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { decodeFrames } from '../../../src/video/decode/decode.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import { createWorkspace } from '../../../src/storage/work-folder.ts';
import { atDepth } from '../../harness/depth.ts';
import { FOOTAGE_FILES } from '../../harness/footage-files/footage-files.ts';
import { FootageGround } from '../../harness/footage-files/footage-ground.ts';
import { mutateMedia } from '../../harness/media-mutations.ts';
import { makeMediaTogether } from '../../harness/media-together.ts';
import { mediaFolder, testSource } from '../../harness/media.ts';
import { childrenOf } from '../../harness/processes.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_102);
/** Two of each source, or five. */
const FILES = Number(process.env['FUZZ_FILES'] ?? atDepth(62, 155));
const AT_ONCE = 2;
const MAX_FRAMES = 300;
const limits = { ...SMALL_VIDEO_LIMITS, maxPixels: 300_000, maxFrames: MAX_FRAMES };
const options = { ...SMALL_VIDEO_DECODING, maxFrames: MAX_FRAMES };
/** Name of the file, then what ffmpeg needs to make it. */
const KINDS: readonly (readonly [string, readonly string[]])[] = [
  ['h264.mp4', ['-c:v', 'libx264', '-g', '5', '-bf', '2', '-pix_fmt', 'yuv420p']],
  ['faststart.mp4', ['-c:v', 'mpeg4', '-movflags', '+faststart']],
  ['fragmented.mp4', ['-c:v', 'mpeg4', '-g', '3', '-movflags', 'frag_keyframe+empty_moov']],
  ['h264.mkv', ['-c:v', 'libx264', '-g', '5', '-pix_fmt', 'yuv420p']],
  ['vp9.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime']],
  ['mpeg4.avi', ['-c:v', 'mpeg4']],
  ['mpeg2.ts', ['-c:v', 'mpeg2video']],
  ['old.flv', ['-c:v', 'flv1']],
  ['moving.gif', []],
  ['still.png', ['-frames:v', '1']],
  ['still.jpg', ['-frames:v', '1']],
];
const LISTS = new Map([
  ['list.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n'],
  ['list.ffconcat', "ffconcat version 1.0\nfile '/etc/hostname'\nduration 1\n"],
  ['list.mpd', '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>file:///etc/</BaseURL></MPD>'],
  ['drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/hostname"/></svg>'],
]);

/** Odd recordings that are damaged as well. */
const ODD = [
  ['geometry', 'matrix-90-mirrored.mp4'],
  ['geometry', 'sei-180.ts'],
  ['geometry', 'exif-6.avi'],
  ['geometry', 'grows.mp4'],
  ['geometry', 'display-size.mkv'],
  ['clock', 'ahead-by-8h-and-back.ts'],
  ['clock', 'back-to-0-each-2s.flv'],
  ['clock', 'edit-cuts-the-middle.mp4'],
  ['clock', 'starts-at-7h.mp4'],
  ['duration', 'piped.mkv'],
  ['duration', 'recorder-died.avi'],
  ['duration', 'sound-36s.flv'],
  ['clock', 'few-times.mpg'],
  ['streams', 'preview-still-first.mp4'],
  ['streams', 'sub-stream-first.ts'],
  ['truncation', 'pid-256-then-512.ts'],
] as const satisfies readonly (readonly [keyof typeof FOOTAGE_FILES, string])[];

let folder: TemporaryFolder;
let tools: FfmpegTools;
let sources: Buffer[];

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const source = testSource({ size: '64x64', seconds: 1 });
  await makeMediaTogether(KINDS.map(([name, args]) => [...source, ...args, join(folder.path, name)]));
  const names = KINDS.map(([name]) => name);
  sources = await Promise.all(names.map((name) => readFile(join(folder.path, name))));
  sources.push(...[...LISTS.values()].map((text) => Buffer.from(text)), ...(await oddRecordings()));
});
afterAll(() => folder.remove());

async function oddRecordings(): Promise<Buffer[]> {
  await using ground = await FootageGround.open();
  const made = ODD.map(async ([kind, name]) => {
    const file = FOOTAGE_FILES[kind].find((one) => one.name === name);
    if (file === undefined) throw new Error(`no recording ${name}`);
    return await file.make(ground);
  });
  return await Promise.all(made);
}

/** Through the same steps as a job, in a workspace of its own: how it ended, and what else lay in the workspace then. */
async function through(file: Buffer, root: string): Promise<string> {
  await using workspace = await createWorkspace(root, 'fuzz');
  const path = workspace.path('video');
  await writeFile(path, file);
  const how = await decodeAll(path);
  const left = await readdir(workspace.directory);
  return left.length === 1 ? how : `${how}, with ${left.join(', ')} in the workspace`;
}

async function decodeAll(path: string): Promise<string> {
  const never = new AbortController().signal;
  try {
    const info = await probeVideo(tools, path, limits, never);
    let frames = 0;
    for await (const frame of decodeFrames(tools, path, info, options, never)) {
      if (frame.pixels.length !== info.width * info.height * 3) return 'a frame of the wrong size';
      frames += 1;
    }
    return frames > 0 ? 'frames' : 'no frame and no failure';
  } catch (error) {
    return error instanceof Failure ? `${error.class} ${error.code}` : `not a failure of ours: ${String(error)}`;
  }
}

test('damaged files of every kind each end in frames or in a permanent failure, and leave nothing behind', async () => {
  const random = seededRandom(SEED);
  const root = join(folder.path, 'work');
  const files = Array.from({ length: FILES }, (_, number) =>
    mutateMedia(sources[number % sources.length] ?? Buffer.alloc(0), random),
  );
  const ends = new Map<string, number[]>();
  let nextFile = 0;
  const lane = async (): Promise<void> => {
    for (let number = nextFile++; number < files.length; number = nextFile++) {
      const how = await through(files[number] ?? Buffer.alloc(0), root);
      ends.set(how, [...(ends.get(how) ?? []), number]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));

  const undocumented = [...ends].filter(([how]) => how !== 'frames' && !/^permanent [A-Z_]+$/.test(how));
  expect(undocumented).toEqual([]);
  // The damage is of every degree: some files still play, others are refused for different reasons.
  expect(ends.get('frames')?.length).toBeGreaterThan(FILES / 10);
  expect(ends.size).toBeGreaterThan(4);
  expect(await readdir(root)).toEqual([]);
  expect((await childrenOf()).filter(({ name }) => /ffmpeg|ffprobe|prlimit/.test(name))).toEqual([]);
}, 240_000);
