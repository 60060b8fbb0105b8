import { scannedStream, type PacketScan } from '../probe/packet-scan.ts';
import type { ProbedVideo } from '../probed-video.ts';
import { endedByForce } from '../tools/tool-end.ts';
import { LATE_SECONDS, type DecodingEnd } from './judge-end.ts';
import { endTolerance, missingFootage } from './missing-footage.ts';
import { PassInDoubt, type PassFootage } from './passes.ts';

/**
 * What the video turned out to be in a pass that left frames out, which vouches for a sound file alone: rejects with `PassInDoubt` where
 * anything speaks against it, and with what ended ffmpeg by force. Such a pass may end sooner than the packets do, by less than an interval.
 */
export async function judgePass(
  video: ProbedVideo,
  { end, decodedFrames, span, isTorn, isTimeSure, details }: DecodingEnd,
  intervalSeconds: number,
  readPackets: () => Promise<PacketScan>,
): Promise<PassFootage> {
  const force = endedByForce(end, details);
  if (force !== null) throw force;
  const isSound = end.exit.code === 0 && !isTorn && decodedFrames > 0 && isTimeSure && !end.words.sawDamage;
  const promised = video.durationSeconds;
  const tolerance = endTolerance(promised);
  if (!isSound || span.startSeconds >= LATE_SECONDS) throw new PassInDoubt();
  if (span.endSeconds > promised + tolerance) throw new PassInDoubt();
  if (promised - span.endSeconds > intervalSeconds + 1 / video.frameRate) throw new PassInDoubt();
  if (promised - span.endSeconds > tolerance) {
    const stream = scannedStream(await readPackets(), video.streamIndex);
    if (stream === undefined || stream.endSeconds < promised - tolerance) throw new PassInDoubt();
  }
  // A header that had to be doubted is held against the packets, as in a pass that leaves nothing out.
  if (video.packets !== null) {
    const { streamIndex, sizeBytes, packets: scan } = video;
    const missing = missingFootage({ span, streamIndex, promisedSeconds: promised, scan, sizeBytes, isDamaged: false });
    if (missing.stretches.length > 0) throw new PassInDoubt();
  }
  return { durationSeconds: promised, decodedFrames, missing: [] };
}
