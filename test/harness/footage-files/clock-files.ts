import { retimedMatroska } from './ebml.ts';
import { retimedFlv } from './flv-tags.ts';
import type { FootageGround } from './footage-ground.ts';
import { patched, withDurations, withEdits, withSampleTimes, type Edit } from './mp4-boxes.ts';
import { recorded, REORDERED, steady, withTone } from './recordings.ts';
import { TWELVE, type FootageFile, type RightValues } from './right-values.ts';
import { retimedTs, TS_TICKS } from './ts-packets.ts';

const VIDEO_PID = 0x100;
const HOUR = 3_600;

/** The time of frame `number`, seconds; its own is a tenth of its number. */
type Seconds = (number: number) => number;

const tsAt = async (ground: FootageGround, seconds: Seconds): Promise<Buffer> =>
  retimedTs(await steady(ground, 'ts'), VIDEO_PID, (_own, n) => (1.4 + seconds(n)) * TS_TICKS);

/** Without a word of how long it is, but where its last frame alone is odd. */
async function mkvAt(ground: FootageGround, seconds: Seconds): Promise<Buffer> {
  const promise = seconds(119) === 500 ? { promisedMilliseconds: 12_000 } : {};
  return retimedMatroska(await steady(ground, 'mkv'), (_own, n) => Math.round(seconds(n) * 1_000), promise);
}

const flvAt = async (ground: FootageGround, seconds: Seconds): Promise<Buffer> =>
  retimedFlv(await steady(ground, 'flv'), (_own, n) => Math.round(seconds(n) * 1_000));

/** Fragments of three seconds; the nth begins at this time. */
async function fragmentsAt(ground: FootageGround, seconds: (fragment: number) => number): Promise<Buffer> {
  const file = await steady(ground, 'mp4', ['-movflags', 'frag_keyframe+empty_moov+default_base_moof']);
  return patched(file, 'moof/traf/tfdt', (body, n) =>
    body.writeBigUInt64BE(BigInt(Math.round(seconds(n) * 10_240)), 4),
  );
}

const CONTAINERS = { ts: tsAt, mkv: mkvAt, flv: flvAt } as const;
type Container = keyof typeof CONTAINERS;

/** The first of the containers is held in every run. */
function inEach(
  name: string,
  why: string,
  seconds: Seconds,
  {
    containers = ['ts', 'mkv', 'flv'],
    right = TWELVE,
  }: { containers?: readonly Container[]; right?: RightValues } = {},
): FootageFile[] {
  return containers.map((container, i) => ({
    name: `${name}.${container}`,
    why,
    right,
    isOnlyDeep: i > 0,
    make: (ground) => CONTAINERS[container](ground, seconds),
  }));
}

/** One frame fewer may be sampled where its time is lost. */
const NEARLY: RightValues = { ...TWELVE, frames: [17, 19], secondsPerNumber: undefined };
const at = (number: number): number => number / 10;
const MKV_FIRST = { containers: ['mkv', 'ts', 'flv'] } as const;
const FLV_FIRST = { containers: ['flv', 'ts', 'mkv'] } as const;

const steps: FootageFile[] = [
  ...inEach('back-to-0-at-6s', 'the clock starts again', (n) => at(n % 60)),
  ...inEach('back-to-0-each-2s', 'the clock starts again and again', (n) => at(n % 20), FLV_FIRST),
  ...inEach('back-by-1s-at-6s', 'the clock steps back a little', (n) => at(n < 60 ? n : n - 10), MKV_FIRST),
  ...inEach('ahead-by-8h-at-6s', 'the clock jumps ahead', (n) => at(n) + (n < 60 ? 0 : 8 * HOUR), FLV_FIRST),
  ...inEach('ahead-by-26h-at-6s', 'the clock jumps ahead', (n) => at(n) + (n < 60 ? 0 : 26 * HOUR), {
    containers: ['ts'],
  }),
  ...inEach(
    'ahead-by-8h-and-back',
    'the clock jumps ahead and back',
    (n) => at(n) + (n >= 40 && n < 80 ? 8 * HOUR : 0),
  ),
  ...inEach('jump-back-by-12h-at-6s', 'the clock jumps back', (n) => at(n) + (n < 60 ? 13.8 * HOUR : 0), MKV_FIRST),
  ...inEach('wraps-at-6s', 'a clock of 33 bits is full', (n) => 2 ** 33 / TS_TICKS - 1.4 - 6 + at(n), {
    containers: ['ts'],
  }),
  ...inEach('starts-at-7h', 'a recording of a running clock', (n) => 7 * HOUR + at(n), FLV_FIRST),
];

const outlier =
  (number: number, seconds: number): Seconds =>
  (n) =>
    n === number ? seconds : at(n);

const outliers: FootageFile[] = [
  ...inEach('frame-60-at-10006s', 'one time far ahead', outlier(60, 10_006), { right: NEARLY, ...MKV_FIRST }),
  ...inEach('frame-60-at-0', 'one time far behind', outlier(60, 0), { right: NEARLY }),
  ...inEach('frame-1-at-500s', 'the second time far ahead', outlier(1, 500), {
    right: NEARLY,
    // In FLV ffmpeg itself makes up times of the many frames that its prober reads after such a step.
    containers: ['ts', 'mkv'],
  }),
  ...inEach('frame-0-at-500s', 'the first time far ahead', outlier(0, 500), {
    right: { ...NEARLY, lastT: 11.3 },
    ...FLV_FIRST,
  }),
  ...inEach('frame-119-at-500s', 'the last time far ahead of what the header says', outlier(119, 500), {
    right: NEARLY,
    ...MKV_FIRST,
  }),
  ...inEach(
    'silent-before-the-last',
    'the last frame comes after a silence, and nothing says otherwise',
    outlier(119, 51.9),
    {
      right: { ...NEARLY, frames: 19, lastT: 51.9, durationSeconds: 52 },
      containers: ['mkv'],
    },
  ),
  ...inEach('frame-60-at-14s', 'one time a little ahead', outlier(60, 14), { right: NEARLY }),
  ...inEach('stuck-from-6s', 'the clock stands still', (n) => at(Math.min(n, 60)), { right: NEARLY, ...FLV_FIRST }),
  ...inEach('stuck-at-10006s', 'the clock jumps ahead and stands still', (n) => (n < 60 ? at(n) : 10_006), {
    right: NEARLY,
  }),
  ...inEach('all-at-0', 'the clock never moves', () => 0, { right: NEARLY, containers: ['mkv', 'ts'] }),
  ...inEach('each-time-twice', 'two frames have the same time', (n) => at(n - (n % 2)), {
    right: NEARLY,
    ...FLV_FIRST,
  }),
];

const silence =
  (from: number, seconds: number): Seconds =>
  (n) =>
    at(n) + (n < from ? 0 : seconds);
const withSilence = (seconds: number): RightValues => ({
  frames: [18, 19],
  firstT: 0,
  lastT: 11.4 + seconds,
  durationSeconds: 12 + seconds,
  numbersFrom: 0,
  missing: [],
});

/** Nothing of its header speaks of twelve seconds: one frame lasts for 26 hours. */
async function leaping(ground: FootageGround): Promise<Buffer> {
  const leap = 26 * HOUR;
  const runs = withSampleTimes(await steady(ground, 'mp4'), [
    [59, 1_024],
    [1, 1_024 + leap * 10_240],
    [60, 1_024],
  ]);
  const milliseconds = (12 + leap) * 1_000;
  return withEdits(
    withDurations(runs, { movie: milliseconds, track: milliseconds, media: (12 + leap) * 10_240 }),
    null,
  );
}

const silences: FootageFile[] = [
  ...inEach('silent-for-40s', 'nothing is recorded for a while', silence(60, 40), {
    containers: ['mkv', 'flv'],
    right: withSilence(40),
  }),
  ...inEach('silent-for-5s', 'nothing is recorded for a while', silence(60, 5), { right: withSilence(5) }),
  {
    name: 'silent-for-40s.mp4',
    why: 'nothing is recorded for a while',
    right: withSilence(40),
    make: async (ground) => {
      const runs = withSampleTimes(await steady(ground, 'mp4'), [
        [59, 1_024],
        [1, 1_024 + 40 * 10_240],
        [60, 1_024],
      ]);
      return withEdits(withDurations(runs, { movie: 52_000, track: 52_000, media: 52 * 10_240 }), null);
    },
  },
  ...(['mkv', 'mp4', 'flv'] as const).map((container, i) => ({
    name: `header-of-26h.${container}`,
    isOnlyDeep: i > 0,
    why: 'the clock jumps ahead, and the header has its length and its frame rate from that',
    right: TWELVE,
    make: async (ground: FootageGround) => await ground.copied(await leaping(ground), 'mp4', `leaping.${container}`),
  })),
  {
    name: 'silent-for-5s-in-large-ticks.mp4',
    why: 'nothing is recorded for a while, by a clock of twenty ticks a second',
    right: withSilence(5),
    make: async (ground) => {
      const file = await CONTAINERS.mkv(ground, silence(60, 5));
      return await ground.copied(file, 'mkv', 'large.mp4', ['-video_track_timescale', '20']);
    },
  },
  {
    name: 'one-frame-each-3s-then-10fps.mp4',
    why: 'the frame rate changes',
    right: { frames: 24, firstT: 0, lastT: 38.5, durationSeconds: 39, missing: [] },
    make: async (ground) => {
      const runs = withSampleTimes(await steady(ground, 'mp4'), [
        [10, 30_720],
        [110, 836],
      ]);
      const units = 10 * 30_720 + 110 * 836;
      const milliseconds = Math.round(units / 10.24);
      return withEdits(withDurations(runs, { movie: milliseconds, track: milliseconds, media: units }), null);
    },
  },
];

const odd: RightValues = {
  ...NEARLY,
  frames: [13, 18],
  numbersFrom: undefined,
  lastT: undefined,
  durationSeconds: undefined,
};
const FRAGMENTS: readonly (readonly [string, string, Seconds, RightValues])[] = [
  ['back-to-0-at-6s.mp4', 'the clock of the fragments starts again', (n) => (n % 2) * 3, odd],
  ['starts-at-7h.mp4', 'a recording of a running clock', (n) => 7 * HOUR + n * 3, TWELVE],
  ['fragments-ahead-by-8h.mp4', 'the clock of the fragments jumps', (n) => n * 3 + (n < 2 ? 0 : 8 * HOUR), TWELVE],
];

const fragments: FootageFile[] = FRAGMENTS.map(([name, why, seconds, right]) => ({
  name,
  why,
  right,
  make: (ground) => fragmentsAt(ground, seconds),
}));

/** The sound's start is the file's. */
const sounds: FootageFile[] = (['mp4', 'ts', 'mkv', 'flv'] as const).flatMap((container, i) => [
  {
    name: `sound-5s-first.${container}`,
    why: 'the picture comes five seconds after the sound',
    right: { ...TWELVE, frames: [18, 19], firstT: 5, lastT: 16.4, durationSeconds: 17 },
    isOnlyDeep: i > 1,
    make: (ground: FootageGround) => withTone(ground, container, { toneSeconds: 17, videoDelay: 5 }),
  },
  {
    name: `sound-5s-later.${container}`,
    why: 'the sound comes five seconds after the picture',
    right: TWELVE,
    isOnlyDeep: i < 2,
    make: (ground: FootageGround) => withTone(ground, container, { toneSeconds: 7, toneDelay: 5 }),
  },
]);

const edited =
  (edits: readonly Edit[], seconds: number) =>
  async (ground: FootageGround): Promise<Buffer> =>
    withDurations(withEdits(await steady(ground, 'mp4'), edits), {
      movie: seconds * 1_000,
      track: seconds * 1_000,
      media: null,
    });

const edits: FootageFile[] = [
  {
    name: 'edit-cuts-3s.mp4',
    why: 'an edit list leaves the head out',
    right: { ...TWELVE, frames: [13, 14], lastT: 8.5, durationSeconds: 9, numbersFrom: 30 },
    make: edited([[9_000, 30_720]], 9),
  },
  {
    name: 'edit-cuts-2.5s.mp4',
    why: 'an edit list leaves the head out, up to the middle of a group of pictures',
    right: { ...TWELVE, frames: [14, 15], lastT: 9, durationSeconds: 9.5, numbersFrom: 25 },
    make: edited([[9_500, 25_600]], 9.5),
  },
  {
    name: 'edit-cuts-the-middle.mp4',
    why: 'an edit list leaves the middle out',
    right: {
      ...TWELVE,
      frames: 9,
      lastT: 5.4,
      durationSeconds: 6,
      numbersFrom: undefined,
      secondsPerNumber: undefined,
    },
    make: edited(
      [
        [3_000, 0],
        [3_000, 9 * 10_240],
      ],
      6,
    ),
  },
  {
    name: 'edit-delays-4s.mp4',
    why: 'an edit list begins with four seconds of nothing, while the sound plays',
    right: { ...TWELVE, firstT: 4, lastT: 15.4, durationSeconds: 16 },
    make: async (ground) => {
      const file = await withTone(ground, 'mp4', { toneSeconds: 16 });
      return withEdits(withDurations(file, { movie: 16_000, track: 16_000, media: null }), [
        [4_000, -1],
        [12_000, 0],
      ]);
    },
  },
];

const lateTimes: FootageFile[] = [
  ...(
    [
      ['b-frames.mp4', []],
      ['b-frames-without-edits.mp4', ['-use_editlist', '0']],
      ['b-frames-with-negative-offsets.mp4', ['-movflags', 'negative_cts_offsets']],
      ['b-frames.ts', []],
      ['b-frames.mkv', []],
      ['b-frames.flv', []],
      ['b-frames.avi', []],
    ] as const
  ).map(([name, args]) => ({
    name,
    why: 'frames are stored in another order than they are shown in',
    right: TWELVE,
    isOnlyDeep: /(?:mkv|flv)$/.test(name),
    make: async (ground: FootageGround) => {
      const file = await recorded(ground, 'b.mp4', { codec: REORDERED });
      return await ground.copied(file, 'mp4', name, args);
    },
  })),
  {
    name: 'every-other-time-missing.ts',
    why: 'every other frame has no time',
    right: TWELVE,
    make: async (ground) => retimedTs(await steady(ground, 'ts'), VIDEO_PID, (own, n) => (n % 2 === 1 ? null : own)),
  },
  {
    name: 'no-times-from-6s.ts',
    why: 'from the middle on no frame has a time',
    right: TWELVE,
    make: async (ground) => retimedTs(await steady(ground, 'ts'), VIDEO_PID, (own, n) => (n < 60 ? own : null)),
  },
  {
    name: 'few-times.mpg',
    why: 'a program stream tells the time of few frames',
    right: TWELVE,
    make: async (ground) =>
      await recorded(ground, 'few.mpg', {
        codec: ['-c:v', 'mpeg2video', '-q:v', '3', '-g', '12', '-bf', '2'],
        rate: 10,
      }),
  },
];

/** When each picture is shown. */
export const CLOCK_FILES: readonly FootageFile[] = [
  ...steps,
  ...outliers,
  ...silences,
  ...fragments,
  ...sounds,
  ...edits,
  ...lateTimes,
];
