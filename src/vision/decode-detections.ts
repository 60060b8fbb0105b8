import type { Box } from './box.ts';
import { boxIou } from './iou.ts';

export interface DecodeSettings {
  readonly classes: number;
  readonly confidence: number;
  readonly iou: number;
  readonly maxDetections: number;
}

/** What an anchor saw. */
export interface RawDetection {
  /** In letterboxed pixels. */
  readonly box: Box;
  readonly score: number;
  readonly classIndex: number;
  readonly anchor: number;
}

const MAX_CANDIDATES = 30_000;

/**
 * Decodes one picture's [4 + classes, anchors] (cx, cy, w, h, then a score per class) into boxes by descending score:
 * best class only, score strictly above `confidence`, non-maximum suppression per class. The rules are those of
 * Ultralytics' predict: an IoU equal to the limit is kept, equal scores keep anchor order, equal classes take the first.
 */
export function decodeDetections(
  raw: Float32Array,
  settings: DecodeSettings & { readonly anchors: number },
): readonly RawDetection[] {
  const { anchors, classes } = settings;
  const threshold = Math.fround(settings.confidence);
  const end = (4 + classes) * anchors;
  const found: RawDetection[] = [];
  for (let anchor = 0; anchor < anchors; anchor++) {
    const first = 4 * anchors + anchor;
    const place = bestScore(raw, first, end, anchors, threshold);
    if (place >= 0) found.push(candidateAt(raw, anchor, anchors, place, anchor));
  }
  return suppressed(found, settings);
}

/**
 * The same of anchors that somebody has picked, at least all with a score above `confidence`: `rows` is [picked, 4 + classes], and `anchorOf` gives the
 * anchor of each.
 */
export function decodeCandidates(
  rows: Float32Array,
  anchorOf: (row: number) => number,
  settings: DecodeSettings,
): readonly RawDetection[] {
  const columns = 4 + settings.classes;
  const threshold = Math.fround(settings.confidence);
  const found: RawDetection[] = [];
  for (let first = 0; first < rows.length; first += columns) {
    const place = bestScore(rows, first + 4, first + columns, 1, threshold);
    if (place >= 0) found.push(candidateAt(rows, first, 1, place, anchorOf(first / columns)));
  }
  return suppressed(found, settings);
}

/** Place of the greatest value above the threshold, the first of equal ones; -1 where there is none. */
function bestScore(values: Float32Array, from: number, end: number, step: number, threshold: number): number {
  let place = -1;
  let score = threshold;
  // Nearly no score is above the threshold: what the processor guesses of this comparison is right.
  for (let other = from; other < end; other += step) {
    if ((values[other] as number) > score) {
      place = other;
      score = values[other] as number;
    }
  }
  return place;
}

/** The anchor whose numbers stand in `values` from `first` on, each `step` behind the one before, its best score at `place`. */
function candidateAt(values: Float32Array, first: number, step: number, place: number, anchor: number): RawDetection {
  const at = (row: number): number => values[first + row * step] as number;
  const [cx, cy, halfWidth, halfHeight] = [at(0), at(1), at(2) / 2, at(3) / 2];
  const box = { x1: cx - halfWidth, y1: cy - halfHeight, x2: cx + halfWidth, y2: cy + halfHeight };
  return { box, score: values[place] as number, classIndex: (place - first) / step - 4, anchor };
}

function suppressed(found: RawDetection[], settings: DecodeSettings): readonly RawDetection[] {
  const ordered = found.sort((a, b) => b.score - a.score || a.anchor - b.anchor).slice(0, MAX_CANDIDATES);
  const kept: RawDetection[] = [];
  for (const candidate of ordered) {
    if (kept.length === settings.maxDetections) break;
    const overlaps = kept.some(
      (other) => other.classIndex === candidate.classIndex && boxIou(other.box, candidate.box) > settings.iou,
    );
    if (!overlaps) kept.push(candidate);
  }
  return kept;
}
