import type { MissingFootage } from '../footage.ts';
import { scannedStream, type PacketScan, type ScannedStream } from '../probe/packet-scan.ts';

/** What was decoded, on the clock of `Frame.t`. */
export interface DecodedSpan {
  /** Where the first decoded frame begins and the last one ends, seconds. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** How many decoded frames begin in each second. */
  readonly perSecond: readonly number[];
}

/** What was decoded, beside what the file told and held. */
interface Outcome {
  readonly span: DecodedSpan;
  /** Of the stream that was decoded. */
  readonly streamIndex: number;
  /** Where the video ends by its header. */
  readonly promisedSeconds: number;
  readonly scan: PacketScan;
  readonly sizeBytes: number;
  /** True when ffmpeg found bytes that are not there or not right. */
  readonly isDamaged: boolean;
}

interface Missing {
  readonly stretches: readonly MissingFootage[];
  /** Where the video ends by its own packets or by what was decoded, whichever is later. */
  readonly endSeconds: number;
  /** Where it would end if nothing were missing. */
  readonly wholeSeconds: number;
  /** Seconds that are missing before that. */
  readonly tailSeconds: number;
}

/** Fewer packets in a stretch are edges of what was decoded: the order of decoding is not that of showing. */
const MIN_PACKETS = 2;
/** Whole seconds without a packet that are a hole in a damaged file. */
const MIN_HOLE_SECONDS = 2;
/** A camera that records on motion leaves more silences than damage leaves holes. */
const MAX_HOLES = 3;
/** Bytes behind the last packet that are padding, whatever the size of the file. */
const IDLE_BYTES = 8 * 1024;
const IDLE_SHARE = 0.1;

/** How far an end may lie before the promised one: what a header says is rounded, and the last frame's length is often not told. */
export function endTolerance(promisedSeconds: number): number {
  return Math.max(1, promisedSeconds * 0.01);
}

/** Holds what was decoded against the packets of the file and the promise of its header. */
export function missingFootage(outcome: Outcome): Missing {
  const { span, streamIndex, promisedSeconds, scan, sizeBytes, isDamaged } = outcome;
  const stream = scannedStream(scan, streamIndex);
  const endSeconds = Math.max(span.endSeconds, stream?.endSeconds ?? 0);
  const lost = stream === undefined ? [] : undecoded(span, stream);
  const last = lost.at(-1);
  const stretches = [...lost, ...(isDamaged && stream !== undefined ? holes(span, stream) : [])];
  stretches.sort((a, b) => a.fromSeconds - b.fromSeconds);
  let wholeSeconds = endSeconds;
  let tailSeconds = last !== undefined && last.toSeconds === stream?.endSeconds ? last.toSeconds - last.fromSeconds : 0;
  // A clock that jumped may have made the header: what any packet names has come.
  const fileEnd = Math.max(endSeconds, scan.latestSeconds, ...scan.streams.map((other) => other.endSeconds));
  if (fileEnd < promisedSeconds - endTolerance(promisedSeconds)) {
    stretches.push({
      fromSeconds: endSeconds,
      toSeconds: promisedSeconds,
      why: `the header promises ${seconds(promisedSeconds)}, the file ends after ${seconds(fileEnd)}`,
    });
    tailSeconds += promisedSeconds - endSeconds;
    wholeSeconds = promisedSeconds;
  } else if (scan.strayVideoPid !== null) {
    const toSeconds = fileEnd > endSeconds + endTolerance(endSeconds) ? fileEnd : null;
    const why = `the video goes on under PID ${scan.strayVideoPid}, which no table of the file names`;
    stretches.push({ fromSeconds: endSeconds, toSeconds, why });
  } else if (scan.bytesAfterLast > Math.max(IDLE_BYTES, IDLE_SHARE * sizeBytes)) {
    stretches.push({
      fromSeconds: endSeconds,
      toSeconds: null,
      why: `the last ${scan.bytesAfterLast} of ${sizeBytes} bytes belong to no stream that the file announces`,
    });
  }
  return { stretches, endSeconds, wholeSeconds, tailSeconds };
}

/** Runs of whole seconds in which packets begin and no decoded frame does. */
function undecoded(span: DecodedSpan, stream: ScannedStream): MissingFootage[] {
  const found: MissingFootage[] = [];
  // After a jump of the clock the two counts may lie a little apart: no more can be missing than was lost.
  let lost = stream.packets - span.perSecond.reduce((sum, count) => sum + count, 0);
  for (const run of emptyRuns(span, stream)) {
    if (run.packets < MIN_PACKETS || run.packets > lost + 1) continue;
    lost -= run.packets;
    found.push(stretch(run, span, stream));
  }
  return found;
}

function emptyRuns(span: DecodedSpan, stream: ScannedStream): readonly Run[] {
  const runs: Run[] = [];
  let isOpen = false;
  for (const [second, packets] of stream.perSecond.entries()) {
    if ((span.perSecond[second] ?? 0) > 0) isOpen = false;
    if (packets === 0 || (span.perSecond[second] ?? 0) > 0) continue;
    const before = isOpen ? runs.pop() : undefined;
    runs.push({ from: before?.from ?? second, to: second + 1, packets: (before?.packets ?? 0) + packets });
    isOpen = true;
  }
  return runs;
}

/** Seconds with neither packet nor picture, between others. Of a file that is not damaged they are silences. */
function holes(span: DecodedSpan, stream: ScannedStream): readonly MissingFootage[] {
  const found: MissingFootage[] = [];
  const isHeld = (second: number): boolean => (span.perSecond[second] ?? 0) + (stream.perSecond[second] ?? 0) > 0;
  let before: number | null = null;
  for (let second = 0; second < Math.max(span.perSecond.length, stream.perSecond.length); second++) {
    if (!isHeld(second)) continue;
    if (before !== null && second - before > MIN_HOLE_SECONDS) {
      found.push({ fromSeconds: before + 1, toSeconds: second, why: 'a damaged file holds nothing of it' });
    }
    before = second;
  }
  return found.length <= MAX_HOLES ? found : [];
}

interface Run {
  /** Whole seconds; the second one is no longer part of it. */
  readonly from: number;
  readonly to: number;
  readonly packets: number;
}

/** A run, drawn out to the frames that lie around it. */
function stretch({ from, to, packets }: Run, span: DecodedSpan, stream: ScannedStream): MissingFootage {
  if (to <= span.startSeconds) {
    const why = `${packets} packets lie before the first picture that can be decoded`;
    return { fromSeconds: Math.max(from, stream.startSeconds), toSeconds: span.startSeconds, why };
  }
  const why = `${packets} packets cannot be decoded`;
  if (to < stream.perSecond.length) return { fromSeconds: from, toSeconds: to, why };
  return { fromSeconds: Math.min(span.endSeconds, to), toSeconds: stream.endSeconds, why };
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}
