/** What is told of a stream that may be the recording. */
export interface VideoCandidate {
  readonly index: number;
  /** Absent or `unknown` where ffmpeg cannot decode it. */
  readonly codec_name?: string | undefined;
  readonly width: number;
  readonly height: number;
  /** Null where neither header nor packets say it. */
  readonly frames: number | null;
  readonly disposition: Readonly<Record<string, number>>;
}

/** Pictures beside a recording: cover art and thumbnails. */
const PICTURE_FLAGS = ['attached_pic', 'timed_thumbnails', 'still_image'];

/**
 * The stream that is the recording: no picture beside it; nothing that cannot be decoded where another can, nothing with one frame where
 * another has more, and nothing without a size where another has one; then the one that is marked as default, then the largest, then the
 * first. Null when no stream shows a video.
 */
export function chooseStream<Candidate extends VideoCandidate>(candidates: readonly Candidate[]): Candidate | null {
  const order = (a: Candidate, b: Candidate): number =>
    Number(isUnknown(a)) - Number(isUnknown(b)) ||
    Number(isStill(a)) - Number(isStill(b)) ||
    Number(isSized(b)) - Number(isSized(a)) ||
    Number(isDefault(b)) - Number(isDefault(a)) ||
    b.width * b.height - a.width * a.height ||
    a.index - b.index;
  return candidates.filter((candidate) => !isPicture(candidate)).toSorted(order)[0] ?? null;
}

/** True for what is a picture beside a recording. */
export function isPicture({ disposition }: Pick<VideoCandidate, 'disposition'>): boolean {
  return PICTURE_FLAGS.some((flag) => disposition[flag] === 1);
}

function isUnknown({ codec_name: codec }: VideoCandidate): boolean {
  return codec === undefined || codec === 'unknown' || codec === 'none';
}

function isStill({ frames }: VideoCandidate): boolean {
  return frames !== null && frames <= 1;
}

function isSized({ width, height }: VideoCandidate): boolean {
  return width > 0 && height > 0;
}

function isDefault({ disposition }: VideoCandidate): boolean {
  return disposition['default'] === 1;
}
