import { withAviFrames } from './avi-chunks.ts';
import type { FootageGround } from './footage-ground.ts';
import { withDurations, withEdits, withSampleTimes } from './mp4-boxes.ts';
import { MJPEG, recorded, REORDERED, type Recording } from './recordings.ts';
import { TWELVE, type FootageFile, type RightValues } from './right-values.ts';

const MPEG2 = ['-c:v', 'mpeg2video', '-q:v', '3', '-g', '10', '-bf', '0'];

/** Two recordings of six seconds whose bytes are put one after the other, as `cat` does. */
async function concatenated(ground: FootageGround, container: string, recording: Recording = {}): Promise<Buffer> {
  const halves = [0, 60].map((from) => recorded(ground, `half.${container}`, { ...recording, frames: 60, from }));
  return Buffer.concat(await Promise.all(halves));
}

/** The seam may cost a frame. */
const SEAMED: RightValues = { ...TWELVE, frames: [17, 18], numbersFrom: undefined, secondsPerNumber: undefined };

const concatenations: FootageFile[] = [
  {
    name: 'concatenated.ts',
    why: 'two recordings in one file, each with its own clock',
    right: SEAMED,
    make: (ground) => concatenated(ground, 'ts'),
  },
  {
    name: 'concatenated-b-frames.ts',
    why: 'two recordings in one file, each with its own clock, stored in another order than shown',
    right: SEAMED,
    make: (ground) => concatenated(ground, 'ts', { codec: REORDERED }),
  },
  {
    name: 'concatenated.mpg',
    why: 'two program streams in one file, as video camera discs have them',
    right: SEAMED,
    make: (ground) => concatenated(ground, 'mpg', { codec: MPEG2 }),
  },
  {
    name: 'joined.flv',
    why: 'a second recording behind the first, header and all, which ffmpeg does not read',
    right: { ...TWELVE, missing: [[12, null]] },
    make: async (ground) => {
      const one = await recorded(ground, 'one.flv');
      return Buffer.concat([one, one]);
    },
  },
];

const rates: FootageFile[] = [
  {
    name: 'dropped-frames.avi',
    why: 'every other frame is empty, which means that the one before it stays',
    right: { ...TWELVE, frames: 18, numbersFrom: undefined, secondsPerNumber: 0.2 },
    make: async (ground) =>
      withAviFrames(await recorded(ground, 'r.avi', { codec: MJPEG }), (frame, number) =>
        number % 2 === 0 ? frame : Buffer.alloc(0),
      ),
  },
  {
    name: 'all-at-0.mp4',
    why: 'the clock never moves',
    right: { frames: [17, 19], firstT: 0, durationSeconds: 12, numbersFrom: 0, missing: [] },
    make: async (ground) => {
      const still = withSampleTimes(await recorded(ground, 'steady.mp4'), [[120, 0]]);
      return withEdits(withDurations(still, { movie: 0, track: 0, media: 0 }), null);
    },
  },
  {
    name: 'one-frame-each-8s.mp4',
    why: 'a time lapse',
    right: { frames: 6, firstT: 0, lastT: 40, durationSeconds: 48, numbersFrom: 0, secondsPerNumber: 8, missing: [] },
    make: (ground) => recorded(ground, 'lapse.mp4', { frames: 6, rate: 0.125 }),
  },
  {
    name: 'one-frame-each-8s.mkv',
    why: 'a time lapse',
    isOnlyDeep: true,
    right: { frames: 6, firstT: 0, lastT: 40, durationSeconds: 48, numbersFrom: 0, secondsPerNumber: 8, missing: [] },
    make: (ground) => recorded(ground, 'lapse.mkv', { frames: 6, rate: 0.125 }),
  },
  {
    name: 'one-frame-each-8s.ts',
    why: 'a time lapse',
    right: { frames: 6, firstT: 0, lastT: 40, durationSeconds: 48, numbersFrom: 0, secondsPerNumber: 8, missing: [] },
    make: (ground) => recorded(ground, 'lapse.ts', { frames: 6, rate: 0.125 }),
  },
  {
    name: 'slow-motion.mp4',
    why: '120 frames a second',
    right: { frames: [4, 5], firstT: 0, durationSeconds: 3, numbersFrom: 0, missing: [] },
    make: (ground) => recorded(ground, 'slow.mp4', { frames: 360, rate: 120 }),
  },
];

/** Recordings that were joined, and frames that are far apart or close together. */
export const JOINED_FILES: readonly FootageFile[] = [...concatenations, ...rates];
