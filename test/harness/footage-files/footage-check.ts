import { Failure } from '../../../src/failure/failure.ts';
import { withDecodedFrames } from '../../../src/video/decode/decode.ts';
import type { Footage } from '../../../src/video/footage.ts';
import type { ProbedVideo } from '../../../src/video/probed-video.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import type { FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../small-videos.ts';
import { cornersOf, expectedMean, meanColour, NUMBERS, numberOf, type Colour, type Corners } from './picture.ts';
import type { Range, RightValues } from './right-values.ts';

interface SeenFrame {
  readonly index: number;
  readonly t: number;
  readonly number: number;
  readonly corners: Corners;
  readonly mean: Colour;
}

/** What became of a file. */
export interface FootageOutcome {
  readonly failure: Failure | null;
  readonly info: ProbedVideo | null;
  readonly frames: readonly SeenFrame[];
  readonly footage: Footage | null;
}

/** Both halves hold to the same limit. */
const DECODING = { ...SMALL_VIDEO_DECODING, maxDurationSeconds: SMALL_VIDEO_LIMITS.maxDurationSeconds };

/** Probes and decodes a file at 1.5 frames a second. What is no failure of ours is thrown. */
export async function seen(tools: FfmpegTools, path: string): Promise<FootageOutcome> {
  const never = new AbortController().signal;
  const frames: SeenFrame[] = [];
  let info: ProbedVideo | null = null;
  try {
    const probed = await probeVideo(tools, path, SMALL_VIDEO_LIMITS, never);
    info = probed;
    const footage = await withDecodedFrames([tools, path, probed, DECODING, never], async (video) => {
      for await (const { index, t, width, height, pixels } of video.frames) {
        if (pixels.length !== width * height * 3) throw new Error('a frame of another size than it says');
        const picture = { width, height, pixels };
        frames.push({ index, t, number: numberOf(picture), corners: cornersOf(picture), mean: meanColour(picture) });
      }
      return video.footage();
    });
    return { failure: null, info, frames, footage };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { failure: error, info, frames, footage: null };
  }
}

/** What is wrong with an outcome; empty when it is right. */
export function faultsOf(outcome: FootageOutcome, right: RightValues): string[] {
  const { either, ...always } = right;
  if (either !== undefined) {
    const tried = either.map((one) => faultsOf(outcome, { ...always, ...one }));
    return tried.some((faults) => faults.length === 0) ? [] : [tried.map((faults) => faults.join('; ')).join(' | ')];
  }
  const { failure, info, frames, footage } = outcome;
  if (failure !== null || right.code !== undefined) {
    const code = failure?.code ?? 'frames';
    return code === right.code ? [] : [`${code}, expected ${right.code ?? 'frames'} (${failure?.message ?? ''})`];
  }
  if (info === null || footage === null) return ['nothing came of it'];
  return [
    ...within('width', info.width, right.width),
    ...within('height', info.height, right.height),
    ...within('frame rate', info.frameRate, right.maxFrameRate === undefined ? undefined : [0, right.maxFrameRate]),
    ...within('sampled frames', frames.length, right.frames),
    ...near('duration', footage.durationSeconds, right.durationSeconds, 0.06 * (right.durationSeconds ?? 0)),
    ...timeFaults(frames, right),
    ...numberFaults(frames, right),
    ...colourFaults(frames, right),
    ...missingFaults(footage, right),
  ];
}

function within(what: string, got: number, expected: Range | undefined): string[] {
  if (expected === undefined) return [];
  const [low, high] = typeof expected === 'number' ? [expected, expected] : expected;
  return got >= low && got <= high ? [] : [`${what} ${got}, expected ${low} to ${high}`];
}

function near(what: string, got: number | undefined, expected: number | undefined, tolerance: number): string[] {
  if (expected === undefined || (got !== undefined && Math.abs(got - expected) <= tolerance)) return [];
  return [`${what} ${got}, expected ${expected}`];
}

function timeFaults(frames: readonly SeenFrame[], right: RightValues): string[] {
  const back = frames.findIndex(({ t, index }, i) => {
    const before = frames[i - 1];
    return before !== undefined && (t <= before.t || index <= before.index);
  });
  return [
    ...(back < 0 ? [] : [`sample ${back} is not after the one before it`]),
    ...near('first time', frames[0]?.t, right.firstT, 0.35),
    ...near('last time', frames.at(-1)?.t, right.lastT, 1),
  ];
}

/** The number that a picture shows says which frame it is, and so when it was recorded. */
function numberFaults(frames: readonly SeenFrame[], { numbersFrom, secondsPerNumber }: RightValues): string[] {
  if (numbersFrom === undefined) return [];
  const first = frames[0];
  return frames.flatMap(({ index, number, t }) => {
    const expected = (numbersFrom + index) % NUMBERS;
    if (number !== expected) return [`frame ${index} shows ${number}, expected ${expected}`];
    if (secondsPerNumber === undefined || first === undefined) return [];
    return near(`time of frame ${index}`, t, first.t + (index - first.index) * secondsPerNumber, 0.02);
  });
}

const COLOUR_TOLERANCE = 14;

function colourFaults(frames: readonly SeenFrame[], { corners, mean }: RightValues): string[] {
  const isNear = (one: Colour, other: Colour): boolean =>
    one.every((value, i) => Math.abs(value - (other[i] ?? 0)) <= COLOUR_TOLERANCE);
  return frames.flatMap((frame) => {
    const wrong = Object.entries(corners ?? {}).filter(
      ([name, colour]) => !isNear(frame.corners[name as keyof Corners], colour),
    );
    const faults = wrong.map(
      ([name]) => `${name} of frame ${frame.index} is ${said(frame.corners[name as keyof Corners])}`,
    );
    if (mean !== undefined && !isNear(frame.mean, expectedMean(frame.number, mean))) {
      faults.push(`frame ${frame.index} is ${said(frame.mean)} on average`);
    }
    return faults;
  });
}

const said = (colour: Colour): string => colour.map((value) => Math.round(value)).join(',');

function missingFaults({ missing }: Footage, right: RightValues): string[] {
  const text = missing.map(({ fromSeconds, toSeconds, why }) => `${fromSeconds} to ${toSeconds} (${why})`).join(', ');
  if (right.degraded === true && missing.length === 0) return ['nothing is said to be missing'];
  if (right.missing === undefined) return [];
  const isRight =
    missing.length === right.missing.length &&
    missing.every(({ fromSeconds, toSeconds }, i) => {
      const [from = 0, to = null] = right.missing?.[i] ?? [];
      if (Math.abs(fromSeconds - from) > 1) return false;
      return to === null || toSeconds === null ? to === toSeconds : Math.abs(toSeconds - to) <= 1;
    });
  return isRight ? [] : [`missing: ${text || 'nothing'}; expected ${JSON.stringify(right.missing)}`];
}
