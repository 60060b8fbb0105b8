import type { Footage } from '../video/footage.ts';

interface SeenFootage {
  /** Times of the sampled frames, in order. */
  readonly times: readonly number[];
  readonly footage: Footage;
  /** How long a sampled frame stands for what comes after it. */
  readonly sampleSeconds: number;
}

/**
 * Answers how far the footage goes on that was seen at a moment: to the next silence of the recording, to the next stretch that no frame
 * came of, or to the end of the video.
 */
export function createSeenUntil({ times, footage, sampleSeconds }: SeenFootage): (seconds: number) => number {
  const silences = times.filter((t, index) => (times[index + 1] ?? t) - t > SILENCE_SAMPLES * sampleSeconds);
  const ends = [
    ...silences.map((t) => t + sampleSeconds),
    ...footage.missing.map(({ fromSeconds }) => fromSeconds),
    footage.durationSeconds,
  ].sort((a, b) => a - b);
  return (seconds) => ends.find((end) => end >= seconds) ?? seconds;
}

/** Footage that is slower than the sampling has longer steps than a sample, and is no silence for that. */
const SILENCE_SAMPLES = 3;
