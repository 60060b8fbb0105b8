import { Failure, type FailureOptions } from '../../failure/failure.ts';
import type { PacketScan } from '../probe/packet-scan.ts';
import type { ProbedVideo } from '../probed-video.ts';
import { endedByForce, endedWithoutReport, gaveUpWithoutReason, type ToolEnd } from '../tools/tool-end.ts';
import type { PassFootage } from './passes.ts';
import { endTolerance, missingFootage, type DecodedSpan } from './missing-footage.ts';

/** How a decoding ended. */
export interface DecodingEnd {
  readonly end: ToolEnd;
  readonly decodedFrames: number;
  readonly span: DecodedSpan;
  readonly isTimeSure: boolean;
  /** True when a picture is incomplete, or pictures and times do not pair up. */
  readonly isTorn: boolean;
  readonly details: NonNullable<FailureOptions['details']>;
}

/** More than this share of a damaged file's promise must not be missing at its end. */
const TRUNCATED_SHARE = 0.1;
/** A first frame that comes later has something before it, or another stream has. */
export const LATE_SECONDS = 1;

/**
 * What the video turned out to be, judged at its end and on its own clock. The packets are read only where something speaks against the
 * decoding. Rejects with what ended ffmpeg by force, or with the failure of a file that broke its promise.
 */
export async function judgeEnd(
  video: ProbedVideo,
  ended: DecodingEnd,
  readPackets: () => Promise<PacketScan>,
): Promise<PassFootage> {
  const { end, decodedFrames, span, isTorn, details } = ended;
  const force = endedByForce(end, details);
  if (force !== null) throw force;
  const promised = video.durationSeconds;
  const isSound = end.exit.code === 0 && !isTorn && decodedFrames > 0;
  const endsWell = span.endSeconds >= promised - endTolerance(promised);
  const isPlain = endsWell && span.startSeconds < LATE_SECONDS && !end.words.sawDamage;
  if (isSound && isPlain && video.packets === null) {
    return { durationSeconds: settled(video, span.endSeconds), decodedFrames, missing: [] };
  }
  const otherReason = isSound ? null : gaveUpWithoutReason(end, details);
  if (otherReason !== null) throw otherReason;
  if (decodedFrames === 0) {
    if (!end.words.saidAnything) throw endedWithoutReport(end, details);
    throw new Failure('VIDEO_NO_FRAMES', 'no frame could be decoded', { details });
  }
  const scan = await readPackets();
  const { streamIndex, sizeBytes } = video;
  const isDamaged = !isSound || end.words.sawDamage;
  const missing = missingFootage({ span, streamIndex, promisedSeconds: promised, scan, sizeBytes, isDamaged });
  const { wholeSeconds } = missing;
  const isBroken = !isSound || end.words.sawError;
  if (isBroken && missing.tailSeconds > TRUNCATED_SHARE * wholeSeconds) {
    const decoded = span.endSeconds.toFixed(2);
    throw new Failure('VIDEO_TRUNCATED', `only ${decoded} of ${wholeSeconds.toFixed(2)} s could be decoded`, {
      details: { ...details, decodedSeconds: span.endSeconds, durationSeconds: wholeSeconds },
    });
  }
  if (!isSound) {
    throw new Failure('VIDEO_DECODE_FAILED', `ffmpeg gave up on the file (exit code ${end.exit.code})`, { details });
  }
  return { durationSeconds: settled(video, missing.endSeconds), decodedFrames, missing: missing.stretches };
}

/**
 * The promise, where it came true: a header counts the last frame's own length, which no clock of frames tells. Where the rate varies, that
 * may be far less than the length of a frame on average.
 */
function settled({ durationSeconds, frameRate }: ProbedVideo, measuredSeconds: number): number {
  const tolerance = endTolerance(durationSeconds);
  const lastSeconds = measuredSeconds - 1 / frameRate;
  const isTrue = durationSeconds >= lastSeconds - tolerance && durationSeconds <= measuredSeconds + tolerance;
  return isTrue ? durationSeconds : measuredSeconds;
}
