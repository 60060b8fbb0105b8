/** What differs between two analyses of one video, box by box: the same models on two devices, or plain and prepared. */

import type { BoxTuple, ObservedDetection, VideoAnalysis } from '../../../../src/analysis/video-analysis.ts';
import type { Box } from '../../../../src/vision/box.ts';
import { boxIou } from '../../../../src/vision/iou.ts';
import { rounded } from '../../figures.ts';

/** Intersection over union from which two boxes are the same. */
const SAME_BOX = 0.9;
/** Pixels by which no edge is farther off than rounding explains. */
const SAME_PIXELS = 0.05;
const MOST_DIFFERENCES = 40;

type Reading = 'orientation' | 'action' | 'gender';

/** Pairs that both have the reading, and those of them that have the same. */
type Agreement<R extends Reading> = Readonly<Record<`${R}Both` | `${R}Same`, number>>;

/** Of the first analysis and of the second; null where it has nothing. */
type Both<T> = readonly [T | null, T | null];

/** A matched pair that was read differently, or a box that has no partner. */
export interface Difference {
  readonly frame: number;
  readonly class: ObservedDetection['class'];
  readonly boxes: Both<BoxTuple>;
  readonly scores: Both<number>;
  readonly orientation: Both<number>;
  readonly action: Both<string>;
  readonly actionScores: Both<number>;
}

export interface AnalysisComparison extends Agreement<'orientation'>, Agreement<'action'>, Agreement<'gender'> {
  readonly frames: { readonly a: number; readonly b: number; readonly tracksA: number; readonly tracksB: number };
  /** Boxes of the first analysis, and those of them that have a partner in the second. */
  readonly boxes: number;
  readonly matched: number;
  /** Boxes of the second analysis without a partner. */
  readonly extra: number;
  readonly samePixels: number;
  readonly matchedShare: number;
  readonly largestDifference: {
    readonly score: number;
    readonly pixels: number;
    readonly age: number;
    readonly actionScore: number;
  };
  readonly differing: number;
  /** The first of them. */
  readonly differences: readonly Difference[];
}

/** A box and its partner in the other analysis; one of the two may be missing. */
interface Pair {
  readonly frame: number;
  readonly a: ObservedDetection | null;
  readonly b: ObservedDetection | null;
}

interface Match {
  readonly a: ObservedDetection;
  readonly b: ObservedDetection;
}

export function compareAnalyses(a: VideoAnalysis, b: VideoAnalysis): AnalysisComparison {
  const pairs = pairsOf(a, b);
  const matches = pairs.flatMap(({ a, b }): readonly Match[] => (a === null || b === null ? [] : [{ a, b }]));
  const boxes = pairs.filter((pair) => pair.a !== null).length;
  const differing = pairs.filter(differs);
  return {
    frames: { a: a.frames.length, b: b.frames.length, tracksA: a.tracks.length, tracksB: b.tracks.length },
    boxes,
    matched: matches.length,
    extra: pairs.length - boxes,
    samePixels: matches.filter((match) => pixelsApart(match) <= SAME_PIXELS).length,
    ...agreement(matches, 'orientation'),
    ...agreement(matches, 'action'),
    ...agreement(matches, 'gender'),
    matchedShare: rounded(matches.length / (boxes || 1)),
    largestDifference: {
      score: largest(matches, (one) => one.score),
      pixels: rounded(Math.max(0, ...matches.map(pixelsApart))),
      age: largest(matches, (one) => one.age),
      actionScore: largest(matches, (one) => one.actionScore),
    },
    differing: differing.length,
    differences: differing.slice(0, MOST_DIFFERENCES).map(describe),
  };
}

function pairsOf(a: VideoAnalysis, b: VideoAnalysis): readonly Pair[] {
  const [first, second] = [byFrame(a), byFrame(b)];
  const frames = [...new Set([...first.keys(), ...second.keys()])].toSorted((x, y) => x - y);
  return frames.flatMap((frame) => framePairs(frame, first.get(frame) ?? [], second.get(frame) ?? []));
}

function byFrame(analysis: VideoAnalysis): ReadonlyMap<number, readonly ObservedDetection[]> {
  return new Map(analysis.frames.map(({ index, detections }) => [index, detections]));
}

/** Every box of the first takes the box of its class in the second that it shares most with and that is not taken. */
function framePairs(
  frame: number,
  first: readonly ObservedDetection[],
  second: readonly ObservedDetection[],
): readonly Pair[] {
  const left = new Set(second);
  const pairs = first.map((one): Pair => {
    const [best] = [...left]
      .filter((other) => other.class === one.class)
      .map((other) => ({ other, iou: boxIou(corners(one.box), corners(other.box)) }))
      .toSorted((x, y) => y.iou - x.iou);
    if (best === undefined || best.iou < SAME_BOX) return { frame, a: one, b: null };
    left.delete(best.other);
    return { frame, a: one, b: best.other };
  });
  return [...pairs, ...[...left].map((other): Pair => ({ frame, a: null, b: other }))];
}

function corners([x1, y1, x2, y2]: BoxTuple): Box {
  return { x1, y1, x2, y2 };
}

function pixelsApart({ a, b }: Match): number {
  return Math.max(...a.box.map((edge, i) => Math.abs(edge - (b.box[i] ?? Number.NaN))));
}

function largest(matches: readonly Match[], value: (one: ObservedDetection) => number | null): number {
  const apart = matches.map(({ a, b }) => {
    const [first, second] = [value(a), value(b)];
    return first === null || second === null ? 0 : Math.abs(first - second);
  });
  return rounded(Math.max(0, ...apart));
}

function agreement<R extends Reading>(matches: readonly Match[], reading: R): Agreement<R> {
  const both = matches.filter(({ a, b }) => a[reading] !== null && b[reading] !== null);
  const same = both.filter(({ a, b }) => a[reading] === b[reading]);
  return { [`${reading}Both`]: both.length, [`${reading}Same`]: same.length } as Agreement<R>;
}

function differs({ a, b }: Pair): boolean {
  return a === null || b === null || a.orientation !== b.orientation || a.action !== b.action;
}

function describe({ frame, a, b }: Pair): Difference {
  const both = <T>(value: (one: ObservedDetection) => T | null): Both<T> => [a && value(a), b && value(b)];
  return {
    frame,
    class: (a ?? b)?.class ?? 'person',
    boxes: both((one) => one.box),
    scores: both((one) => one.score),
    orientation: both((one) => one.orientation),
    action: both((one) => one.action),
    actionScores: both((one) => one.actionScore),
  };
}
