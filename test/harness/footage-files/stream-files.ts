import { EBML, element, replacedElements, uint } from './ebml.ts';
import type { FootageGround } from './footage-ground.ts';
import { patched } from './mp4-boxes.ts';
import { OTHER_QUARTERS, QUARTERS } from './picture.ts';
import { MJPEG, noisy, recorded, steady, type Recording } from './recordings.ts';
import { packetsOf, pidOf } from './ts-packets.ts';
import { TWELVE, type FootageFile, type RightValues } from './right-values.ts';

const MAIN: RightValues = { ...TWELVE, corners: QUARTERS };
const FIRST_PID = 0x100;
const STILL: Recording = { width: 128, height: 128, frames: 1, codec: MJPEG, picture: OTHER_QUARTERS };
const SMALL: Recording = { width: 32, height: 24, picture: OTHER_QUARTERS };
const EQUAL: Recording = { picture: OTHER_QUARTERS };

/** Streams of several files in one, in order. */
async function together(
  ground: FootageGround,
  name: string,
  files: readonly Buffer[],
  args: readonly string[] = [],
): Promise<Buffer> {
  const paths = await Promise.all(files.map((file) => ground.write('one.mp4', file)));
  const inputs = paths.flatMap((path) => ['-i', path]);
  const maps = paths.flatMap((_, i) => ['-map', `${i}:v`]);
  return await ground.ffmpeg([...inputs, ...maps, '-c', 'copy', ...args], name);
}

/** Each track of an MP4 is on, as recorders write it that know nothing of alternatives. */
const allOn = (file: Buffer): Buffer => patched(file, 'moov/trak/tkhd', (body) => body.writeUIntBE(7, 1, 3));
/** No track of a Matroska file says whether it is the default, which means that it is. */
const unflagged = (file: Buffer): Buffer => replacedElements(file, EBML.isDefault, () => Buffer.alloc(0));
/** The nth track of a Matroska file is the default alone. */
const flagged = (file: Buffer, nth: number): Buffer => {
  let track = -1;
  return replacedElements(unflagged(file), EBML.track, (body) => {
    track += 1;
    return element(EBML.track, body, element(EBML.isDefault, uint(track === nth ? 1 : 0)));
  });
};

const made =
  (
    name: string,
    parts: readonly Recording[],
    finish: (file: Buffer) => Buffer = (file) => file,
    args: readonly string[] = [],
  ) =>
  async (ground: FootageGround): Promise<Buffer> => {
    const files = parts.map((part) => recorded(ground, 'part.mp4', part));
    return finish(await together(ground, name, await Promise.all(files), args));
  };

const stills: FootageFile[] = [
  ['preview-still-first.mp4', 'an unflagged still comes before the video', [STILL, {}], allOn],
  ['preview-still-last.mp4', 'an unflagged still comes after the video', [{}, STILL], allOn],
  ['preview-still-first-on-alone.mp4', 'the still alone is switched on', [STILL, {}], undefined],
  ['preview-still-first.mkv', 'a still comes before the video, and nobody counts frames', [STILL, {}], unflagged],
  ['preview-still-last.mkv', 'a still comes after the video', [{}, STILL], unflagged],
  ['preview-still-flagged.mkv', 'the still is flagged as the default', [STILL, {}], (file: Buffer) => flagged(file, 0)],
  ['two-stills-first.mp4', 'two stills come before the video', [STILL, { ...STILL, width: 64 }, {}], allOn],
].map(([name, why, parts, finish]) => ({
  name: name as string,
  why: why as string,
  right: MAIN,
  make: made(name as string, parts as Recording[], finish as undefined),
}));

const others: FootageFile[] = [
  ['sub-stream-first.mp4', 'a small copy for previews comes first', [SMALL, {}], allOn, MAIN],
  ['sub-stream-first.mkv', 'a small copy for previews comes first', [SMALL, {}], unflagged, MAIN],
  ['sub-stream-first.ts', 'a small copy for previews comes first', [SMALL, {}], undefined, MAIN],
  ['main-stream-first.ts', 'a small copy for previews comes last', [{}, SMALL], undefined, MAIN],
  ['two-equal.mp4', 'two of the same size: the first', [{}, EQUAL], allOn, MAIN],
  ['two-equal.mkv', 'two of the same size: the first', [{}, EQUAL], unflagged, MAIN],
  ['second-flagged.mkv', 'two of the same size: the default', [EQUAL, {}], (file: Buffer) => flagged(file, 1), MAIN],
  [
    'small-flagged.mkv',
    'the default is smaller than the other',
    [{ width: 128, height: 96, picture: OTHER_QUARTERS }, {}],
    (file: Buffer) => flagged(file, 1),
    MAIN,
  ],
].map(([name, why, parts, finish, right]) => ({
  name: name as string,
  why: why as string,
  right: right as RightValues,
  make: made(name as string, parts as Recording[], finish as undefined),
}));

async function coverOf(ground: FootageGround): Promise<string> {
  const input = await recorded(ground, 'cover.jpg', {
    ...STILL,
    codec: ['-c:v', 'mjpeg', '-frames:v', '1', '-update', '1'],
  });
  return await ground.write('cover.jpg', input);
}

const covers: FootageFile[] = [
  ...(['mp4', 'mkv'] as const).map((container) => ({
    name: `cover-art.${container}`,
    why: 'a picture for the shelf beside the video',
    right: MAIN,
    make: async (ground: FootageGround) => {
      const video = await ground.write('video.mp4', await steady(ground, 'mp4'));
      const cover = await coverOf(ground);
      const attached =
        container === 'mkv'
          ? ['-i', video, '-map', '0', '-c', 'copy', '-attach', cover, '-metadata:s:t', 'mimetype=image/jpeg']
          : ['-i', cover, '-i', video, '-map', '0', '-map', '1', '-c', 'copy', '-disposition:v:0', 'attached_pic'];
      return await ground.ffmpeg(attached, `cover.${container}`);
    },
  })),
  {
    name: 'only-cover-art.m4a',
    why: 'music with a picture for the shelf is no video',
    right: { code: 'NO_VIDEO_STREAM' },
    make: async (ground) => {
      const tone = ['-f', 'lavfi', '-i', 'sine=r=8000:d=2', '-i', await coverOf(ground), '-map', '0', '-map', '1'];
      const codecs = ['-c:a', 'aac', '-ac', '1', '-b:a', '8k', '-c:v', 'copy', '-disposition:v:0', 'attached_pic'];
      return await ground.ffmpeg([...tone, ...codecs], 'music.m4a');
    },
  },
  {
    name: 'only-a-still.mp4',
    why: 'one picture that says it is a video is a video of one frame',
    right: { width: 128, height: 128, frames: 1, firstT: 0, corners: OTHER_QUARTERS, missing: [] },
    make: async (ground) => await recorded(ground, 'still.mp4', STILL),
  },
];

const unreadable: FootageFile[] = [
  {
    name: 'unknown-codec-first.mp4',
    why: 'a track that nobody can decode comes before the video',
    right: MAIN,
    make: async (ground) => {
      const file = await made('two.mp4', [{ ...SMALL, width: 128, height: 96 }, {}], allOn)(ground);
      return patched(file, 'moov/trak/mdia/minf/stbl/stsd', (body, nth) => {
        if (nth === 0) body.write('zzzz', 12, 'latin1');
      });
    },
  },
  {
    name: 'empty-stream-first.ts',
    why: 'a stream that is announced and never comes',
    right: MAIN,
    make: async (ground) => {
      const file = await made('two.ts', [EQUAL, {}])(ground);
      return Buffer.concat(packetsOf(file).filter((packet) => pidOf(packet) !== FIRST_PID));
    },
  },
  {
    name: 'timecode-track.mov',
    why: 'a track of time codes beside the video',
    right: MAIN,
    make: (ground) => steady(ground, 'mov', ['-timecode', '01:00:00:00']),
  },
];

const programs: FootageFile[] = [
  {
    name: 'two-programs.ts',
    why: 'two programs, the larger one second',
    right: MAIN,
    make: made('two.ts', [SMALL, {}], undefined, [
      '-program',
      'title=one:program_num=1:st=0',
      '-program',
      'title=two:program_num=2:st=1',
    ]),
  },
  {
    name: 'noisy-small-first.mp4',
    why: 'the small copy has more bytes than the recording',
    right: MAIN,
    make: async (ground) => {
      const small = await recorded(ground, 'small.mp4', { ...SMALL, noise: 40 });
      return allOn(await together(ground, 'n.mp4', [small, await noisy(ground, 'mp4')]));
    },
  },
];

/** Which of several streams is the recording. */
export const STREAM_FILES: readonly FootageFile[] = [...stills, ...others, ...covers, ...unreadable, ...programs];
