import { Failure } from '../../failure/failure.ts';
import type { FailureCode } from '../../failure/codes.ts';
import { slotOf } from '../clock/sampling-log.ts';
import type { Footage } from '../footage.ts';
import type { Frame } from '../frame.ts';
import type { DecodePass } from './decode-mode.ts';

/** Thrown by a pass that leaves frames out and cannot tell the time of those that it has. */
export class PassInDoubt extends Error {}

/** What a video turned out to be in one pass. */
export type PassFootage = Omit<Footage, 'decode'>;

/** Decodes a file from its beginning on, in one way. */
export type OpenPass = (pass: DecodePass) => AsyncGenerator<Frame, PassFootage, undefined>;

/**
 * The samples of a video by the cheapest pass that does. A pass that leaves frames out is given up where an interval between two samples
 * got none, and every pass but the last where anything is in doubt: what is wrong with a file, only one that leaves nothing out may say.
 * The next pass goes on after the last sample; so the same file gives the same samples each time.
 */
export async function* framesInPasses(
  passes: readonly DecodePass[],
  framesPerSecond: number,
  open: OpenPass,
): AsyncGenerator<Frame, Footage, undefined> {
  const taken: Taken = { samples: 0, firstMicros: 0, slot: -1, decode: 'exact' };
  for (const [number, pass] of passes.entries()) {
    const isLast = number === passes.length - 1;
    // One pass needs nobody to look after it.
    const footage = yield* isLast && number === 0
      ? open(pass)
      : onePass({ pass, isLast, framesPerSecond }, open, taken);
    if (footage !== null) return { ...footage, decode: taken.decode };
  }
  throw new Error('there is no pass whose outcome is final');
}

/** What the passes have given so far. */
interface Taken {
  samples: number;
  firstMicros: number;
  slot: number;
  decode: Footage['decode'];
}

interface Turn {
  readonly pass: DecodePass;
  readonly isLast: boolean;
  readonly framesPerSecond: number;
}

/** Null: the pass is given up. */
async function* onePass(
  { pass, isLast, framesPerSecond }: Turn,
  open: OpenPass,
  taken: Taken,
): AsyncGenerator<Frame, PassFootage | null, undefined> {
  const leavesOut = pass.leftOut !== 'nothing';
  const frames = open(pass);
  try {
    for (;;) {
      const next = await (isLast ? frames.next() : unlessInDoubt(frames, pass));
      if (next === null) return null;
      if (next.done === true) return isLast || next.value.missing.length === 0 ? next.value : null;
      const place = placeOf(next.value, leavesOut, framesPerSecond, taken);
      if (place !== 'next') next.value.release();
      if (place === 'behind a gap') return null;
      if (place === 'taken before') continue;
      if (leavesOut) taken.decode = 'fast';
      yield { ...next.value, sample: taken.samples++ };
    }
  } finally {
    await frames.return({ durationSeconds: 0, decodedFrames: 0, missing: [] });
  }
}

/** Where a frame lies behind the samples that were taken; notes it as the last of them where it is the next one. */
function placeOf(
  frame: Frame,
  leavesOut: boolean,
  framesPerSecond: number,
  taken: Taken,
): 'next' | 'taken before' | 'behind a gap' {
  const micros = Math.round(frame.t * 1e6);
  // What comes late may have been left out before it.
  if (taken.samples === 0 && leavesOut && slotOf(micros, 0, framesPerSecond) > 0) return 'behind a gap';
  if (taken.samples === 0) taken.firstMicros = micros;
  const slot = slotOf(micros, taken.firstMicros, framesPerSecond);
  // An earlier pass had it.
  if (slot <= taken.slot) return 'taken before';
  if (leavesOut && slot > taken.slot + 1) return 'behind a gap';
  taken.slot = slot;
  return 'next';
}

async function unlessInDoubt(
  frames: ReturnType<OpenPass>,
  { gpu }: DecodePass,
): Promise<IteratorResult<Frame, PassFootage> | null> {
  try {
    return await frames.next();
  } catch (error) {
    const isOfFile = error instanceof Failure && OF_FILE.has(error.code);
    const isOfGpu = gpu !== null && error instanceof Failure && OF_GPU.has(error.code);
    if (error instanceof PassInDoubt || isOfFile || isOfGpu) return null;
    throw error;
  }
}

/** Verdicts on a file that another pass may find better. */
const OF_FILE: ReadonlySet<FailureCode> = new Set(['VIDEO_TRUNCATED', 'VIDEO_NO_FRAMES', 'VIDEO_DECODE_FAILED']);

/** Ends of a decoder that its GPU may have brought about. */
const OF_GPU: ReadonlySet<FailureCode> = new Set(['DECODER_INTERRUPTED', 'TOOL_BROKEN', 'VIDEO_DECODE_TIMEOUT']);
