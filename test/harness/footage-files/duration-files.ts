import { withAviCount, withoutAviCounts } from './avi-chunks.ts';
import { blocksOf, EBML, element, float, matroskaOf, replacedElements } from './ebml.ts';
import { isPicture, tagsOf, flvOf, withFlvDuration } from './flv-tags.ts';
import { replaced, withDurations } from './mp4-boxes.ts';
import { MJPEG, recorded, steady, withTone } from './recordings.ts';
import { TWELVE, type FootageFile } from './right-values.ts';

const FRAGMENTED = ['-movflags', 'frag_keyframe+empty_moov+default_base_moof'];
const MPEG2 = ['-c:v', 'mpeg2video', '-q:v', '3', '-g', '10', '-maxrate', '4M', '-bufsize', '1M'];

const headless: FootageFile[] = [
  {
    name: 'browser.webm',
    why: 'a browser records without knowing the end',
    right: TWELVE,
    make: async (ground) =>
      await recorded(ground, 'b.webm', {
        codec: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '150k', '-g', '30'],
        muxing: ['-live', '1'],
      }),
  },
  {
    name: 'piped.mkv',
    why: 'no duration in the header',
    right: TWELVE,
    make: async (ground) => {
      const file = await steady(ground, 'mkv');
      return matroskaOf(file, blocksOf(file));
    },
  },
  {
    name: 'piped-and-cut.mkv',
    why: 'no duration in the header, and an end within a frame',
    right: { ...TWELVE, frames: 15, lastT: 9.4, durationSeconds: 10, missing: undefined },
    make: async (ground) => {
      const file = await steady(ground, 'mkv');
      const blocks = blocksOf(file);
      const cut = matroskaOf(file, blocks.slice(0, 101));
      return cut.subarray(0, cut.length - 5);
    },
  },
  {
    name: 'fragments.mp4',
    why: 'fragments, and no duration anywhere',
    right: TWELVE,
    make: async (ground) => replaced(await steady(ground, 'mp4', FRAGMENTED), 'mfra', () => Buffer.alloc(0)),
  },
  {
    name: 'live.flv',
    why: 'a live stream that was written down',
    right: TWELVE,
    make: async (ground) => await steady(ground, 'flv', ['-flvflags', 'no_duration_filesize']),
  },
  {
    name: 'without-metadata.flv',
    why: 'nothing but pictures',
    right: TWELVE,
    make: async (ground) => {
      const file = await steady(ground, 'flv');
      return flvOf(
        file,
        tagsOf(file).filter((tag) => tag.type === 9),
      );
    },
  },
  {
    name: 'recorder-died.avi',
    why: "the recorder never wrote the header's counts",
    right: TWELVE,
    make: async (ground) => withoutAviCounts(await recorded(ground, 'r.avi', { codec: MJPEG })),
  },
  {
    name: 'recorder-died-in-mid-frame.avi',
    why: "the recorder never wrote the header's counts, nor the last frame",
    right: { ...TWELVE, frames: [17, 18], missing: undefined },
    make: async (ground) => {
      const file = withoutAviCounts(await recorded(ground, 'r.avi', { codec: MJPEG }));
      return file.subarray(0, file.length - 200);
    },
  },
  {
    name: 'program-stream.mpg',
    why: 'a program stream, as DVRs and DVDs have it',
    right: TWELVE,
    make: async (ground) => await recorded(ground, 'p.mpg', { codec: MPEG2 }),
  },
  {
    name: 'transport-stream.ts',
    why: 'MPEG-2 in a transport stream',
    right: TWELVE,
    make: async (ground) => await recorded(ground, 'p.ts', { codec: MPEG2 }),
  },
  {
    name: 'theora.ogv',
    why: 'Ogg says nowhere how long it is',
    right: { ...TWELVE, frames: [17, 18] },
    make: async (ground) => await recorded(ground, 'o.ogv', { codec: ['-c:v', 'libtheora', '-q:v', '8', '-g', '8'] }),
  },
];

const HEADERS: readonly (readonly [string, string, Parameters<typeof withDurations>[1]])[] = [
  ['mdhd-30x-short.mp4', "the track's header says 0.4 s", { movie: null, track: null, media: 4_096 }],
  ['mdhd-30x-long.mp4', "the track's header says 360 s", { movie: null, track: null, media: 360 * 10_240 }],
  ['all-headers-30x-long.mp4', 'each header says 360 s', { movie: 360_000, track: 360_000, media: 360 * 10_240 }],
  ['all-headers-say-0.mp4', 'each header says 0 s', { movie: 0, track: 0, media: 0 }],
  ['all-headers-say-unknown.mp4', 'each header says it does not know', { movie: -1, track: -1, media: -1 }],
  ['headers-contradict.mp4', 'one says 1 s, one 100 s, one 12 s', { movie: 1_000, track: 100_000, media: null }],
];

const wrong: FootageFile[] = [
  ...HEADERS.map(([name, why, durations]) => ({
    name,
    why,
    right: TWELVE,
    make: async (ground: Parameters<FootageFile['make']>[0]) => {
      const unsigned = Object.fromEntries(Object.entries(durations).map(([key, n]) => [key, n === null ? n : n >>> 0]));
      return withDurations(await steady(ground, 'mp4'), unsigned as typeof durations);
    },
  })),
  {
    name: 'header-30x-long.mkv',
    why: 'the header says 360 s; the file ends cleanly after 12',
    right: { either: [{ code: 'VIDEO_TRUNCATED' }, { ...TWELVE, missing: undefined, degraded: true }, TWELVE] },
    make: async (ground) => {
      const file = await steady(ground, 'mkv');
      return matroskaOf(file, blocksOf(file), { promisedMilliseconds: 360_000 });
    },
  },
  {
    name: 'header-30x-short.mkv',
    why: 'the header says 0.4 s',
    right: TWELVE,
    make: async (ground) => {
      const file = await steady(ground, 'mkv');
      return matroskaOf(file, blocksOf(file), { promisedMilliseconds: 400 });
    },
  },
  {
    name: 'header-30x-short.flv',
    why: 'the header says 0.4 s',
    right: TWELVE,
    make: async (ground) => withFlvDuration(await steady(ground, 'flv'), 0.4),
  },
  {
    name: 'header-says-nan.mkv',
    why: "the header's duration is no number",
    right: TWELVE,
    make: async (ground) =>
      replacedElements(await steady(ground, 'mkv'), EBML.duration, () => element(EBML.duration, float(Number.NaN))),
  },
];

const sounds: FootageFile[] = (['mp4', 'ts', 'avi', 'flv', 'mkv'] as const).flatMap((container, i) => [
  {
    name: `sound-36s.${container}`,
    isOnlyDeep: i > 2,
    why: 'the sound outlasts the video',
    right: container === 'avi' ? { ...TWELVE, secondsPerNumber: undefined } : TWELVE,
    make: async (ground: Parameters<FootageFile['make']>[0]) => await withTone(ground, container, { toneSeconds: 36 }),
  },
  {
    name: `sound-4s.${container}`,
    isOnlyDeep: i < 2,
    why: 'the video outlasts the sound',
    right: container === 'avi' ? { ...TWELVE, secondsPerNumber: undefined } : TWELVE,
    make: async (ground: Parameters<FootageFile['make']>[0]) => await withTone(ground, container, { toneSeconds: 4 }),
  },
]);

const badFrames: FootageFile[] = [
  {
    name: 'sound-36s-one-bad-frame.flv',
    why: 'the sound outlasts the video, and one frame is damaged',
    right: { ...TWELVE, frames: [17, 18], numbersFrom: undefined, secondsPerNumber: undefined },
    make: async (ground) => {
      const file = await withTone(ground, 'flv', { toneSeconds: 36 });
      let number = 0;
      return flvOf(
        file,
        tagsOf(file).map((tag) => (isPicture(tag) && (number += 1) === 45 ? spoiled(tag) : tag)),
      );
    },
  },
];

/** Longer than is accepted, whatever the header says. */
const tooLong: FootageFile[] = [
  {
    name: 'two-minutes-that-say-4s.mp4',
    why: 'longer than is accepted, and the header says otherwise',
    right: { code: 'VIDEO_TOO_LONG' },
    make: async (ground) => {
      const file = await recorded(ground, 'long.mp4', { rate: 1 });
      return withDurations(file, { movie: 4_000, track: 4_000, media: 4 * 16_384 });
    },
  },
  {
    name: 'two-minutes-that-say-4s.mkv',
    why: 'longer than is accepted, and the header says otherwise',
    isOnlyDeep: true,
    right: { code: 'VIDEO_TOO_LONG' },
    make: async (ground) => {
      const file = await recorded(ground, 'long.mkv', { rate: 1 });
      return matroskaOf(file, blocksOf(file), { promisedMilliseconds: 4_000 });
    },
  },
  {
    name: 'two-minutes-that-say-4s.flv',
    why: 'longer than is accepted, and the header says otherwise',
    right: { code: 'VIDEO_TOO_LONG' },
    make: async (ground) => withFlvDuration(await recorded(ground, 'long.flv', { rate: 1 }), 4),
  },
  {
    name: 'counts-300x.avi',
    why: 'the header counts 36000 frames of which 120 came',
    right: { either: [TWELVE, { ...TWELVE, missing: undefined, degraded: true }, { code: 'VIDEO_TRUNCATED' }] },
    make: async (ground) => withAviCount(await recorded(ground, 'r.avi', { codec: MJPEG }), 36_000),
  },
];

/** A tag whose picture is no picture. */
function spoiled<Tag extends { readonly body: Buffer }>(tag: Tag): Tag {
  const body = Buffer.from(tag.body);
  body.fill(0xff, 9);
  return { ...tag, body };
}

/** How long the video is. */
export const DURATION_FILES: readonly FootageFile[] = [...headless, ...wrong, ...sounds, ...badFrames, ...tooLong];
