import { Failure } from '../../failure/failure.ts';
import { decodeFrames } from '../../video/decode/decode.ts';
import type { Footage } from '../../video/footage.ts';
import type { Frame } from '../../video/frame.ts';
import type { VideoInfo } from '../../video/video-info.ts';

/** So many frames; or those of so many milliseconds, and at least one. */
export type FrameLimit = { readonly frames: number } | { readonly milliseconds: number };

/**
 * The sampled frames of a file up to the limit: a file that ends before it is decoded again, and goes on in time where it ended. Rejects
 * like the decoder, and where the file has no frame.
 */
export async function* framesAgain(
  decode: Parameters<typeof decodeFrames>,
  limit: FrameLimit,
): AsyncGenerator<Frame, void, undefined> {
  const [, file, { durationSeconds, frameRate }] = decode;
  const began = performance.now();
  const isReached = (frames: number): boolean =>
    'frames' in limit ? frames >= limit.frames : performance.now() - began >= limit.milliseconds;
  let sample = 0;
  let next = { index: 0, t: 0 };
  for (;;) {
    const from = { sample, ...next };
    for await (const frame of decodeFrames(...decode)) {
      const [index, t] = [from.index + frame.index, from.t + frame.t];
      next = { index: index + 1, t: Math.max(t + 1 / frameRate, from.t + durationSeconds) };
      yield { ...frame, sample, index, t };
      sample += 1;
      if (isReached(sample)) return;
    }
    if (sample === from.sample) throw new Failure('VIDEO_DECODE_FAILED', `no frame of ${file} is sampled`);
  }
}

/** What only a decoding to the end could tell is taken from the header. */
export function footageOf({ durationSeconds }: VideoInfo): Footage {
  return { durationSeconds, decodedFrames: 0, decode: 'exact', missing: [] };
}
