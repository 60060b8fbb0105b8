import type { VideoAnalysis } from '../../src/analysis/video-analysis.ts';
import type { PlainAnalysis } from './plain-chain.ts';
import type { ProcessCost } from './process-cost.ts';
import { median, rounded } from './figures.ts';

/** An analysis prints pixels with two decimals and scores with four: half a step, and the last bits of a float. */
const BOX_TOLERANCE = 0.005 + 1e-4;
const SCORE_TOLERANCE = 0.00005 + 1e-6;

type Found = Pick<VideoAnalysis, 'frames'>;

/** Throws, with the first frame that differs, unless both saw the same frames, and in them the same boxes in the same order. */
export function requireSameDetections(ours: Found, plain: Pick<PlainAnalysis, 'frames'>): void {
  if (ours.frames.length !== plain.frames.length) {
    throw new Error(`${ours.frames.length} sampled frames, and ${plain.frames.length} by the plain chain`);
  }
  for (const [i, frame] of ours.frames.entries()) {
    const other = plain.frames[i];
    if (other === undefined || frame.index !== other.index) {
      throw new Error(`sample ${i} is frame ${frame.index}, and ${other?.index} by the plain chain`);
    }
    const isSame =
      frame.detections.length === other.detections.length &&
      frame.detections.every((found, at) => {
        const twin = other.detections[at];
        return (
          twin !== undefined &&
          found.class === twin.class &&
          Math.abs(found.score - twin.score) <= SCORE_TOLERANCE &&
          found.box.every((edge, side) => Math.abs(edge - (twin.box[side] ?? Number.NaN)) <= BOX_TOLERANCE)
        );
      });
    if (!isSame) {
      const [a, b] = [frame, other].map(({ detections }) => JSON.stringify(detections));
      throw new Error(`the detections of frame ${frame.index} differ: ${a}, and ${b} by the plain chain`);
    }
  }
}

/** How many persons each of the two read an action of, and of how many both say the same, where both read the same persons. */
export function comparedActions(
  ours: Found,
  plain: Pick<PlainAnalysis, 'frames'>,
): { readonly ours: number; readonly plain: number; readonly same: number } {
  const counts = { ours: 0, plain: 0, same: 0 };
  for (const [i, { detections }] of ours.frames.entries()) {
    const read = detections.flatMap(({ action }) => action ?? []);
    const other = plain.frames[i]?.persons ?? [];
    counts.ours += read.length;
    counts.plain += other.length;
    if (read.length === other.length) counts.same += read.filter((label, at) => label === other[at]?.action).length;
  }
  return counts;
}

/** Wall time over the time inside model runs and waiting for frames: 1 where one of them was always under way, and only one. */
export function wallOfModelsAndDecoder({ totalMs, decodeMs, stages }: VideoAnalysis['timings']): number {
  return totalMs / Object.values(stages).reduce((sum, { runMs }) => sum + runMs, decodeMs);
}

/** The middle of each figure's ratios, pair by pair; and the ratio of the shortest times, which other work on the machine moves least. */
export function pairRatios(
  ours: readonly ProcessCost[],
  theirs: readonly ProcessCost[],
): {
  readonly cpu: number;
  readonly wall: number;
  readonly bestWall: number;
  readonly peak: number;
  readonly treePeak: number;
} {
  const best = (costs: readonly ProcessCost[]): number => Math.min(...costs.map(({ wallSeconds }) => wallSeconds));
  const ratio = (figure: keyof ProcessCost): number =>
    rounded(median(ours.map((cost, i) => cost[figure] / (theirs[i]?.[figure] ?? Number.NaN))));
  return {
    cpu: ratio('cpuSeconds'),
    wall: ratio('wallSeconds'),
    bestWall: rounded(best(ours) / best(theirs)),
    peak: ratio('peakMiB'),
    treePeak: ratio('treePeakMiB'),
  };
}

/** The middle of each figure. */
export function middleCost(costs: readonly ProcessCost[]): ProcessCost {
  const middle = (figure: keyof ProcessCost): number => rounded(median(costs.map((cost) => cost[figure])));
  return {
    cpuSeconds: middle('cpuSeconds'),
    wallSeconds: middle('wallSeconds'),
    peakMiB: middle('peakMiB'),
    treePeakMiB: middle('treePeakMiB'),
  };
}
