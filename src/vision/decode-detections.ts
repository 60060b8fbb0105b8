import type { Box } from './box.ts';
import { boxIou } from './iou.ts';

export interface DecodeSettings {
  readonly anchors: number;
  readonly classes: number;
  readonly confidence: number;
  readonly iou: number;
  readonly maxDetections: number;
}

interface RawDetection {
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
export function decodeDetections(raw: Float32Array, settings: DecodeSettings): readonly RawDetection[] {
  const ordered = candidates(raw, settings)
    .sort((a, b) => b.score - a.score || a.anchor - b.anchor)
    .slice(0, MAX_CANDIDATES);
  const kept: RawDetection[] = [];
  for (const candidate of ordered) {
    if (kept.length === settings.maxDetections) break;
    const suppressed = kept.some(
      (other) => other.classIndex === candidate.classIndex && boxIou(other.box, candidate.box) > settings.iou,
    );
    if (!suppressed) kept.push(candidate);
  }
  return kept;
}

function candidates(raw: Float32Array, settings: DecodeSettings): RawDetection[] {
  const { anchors, classes } = settings;
  // Scores are single precision: a score equal to float32(confidence) is not above it.
  const threshold = Math.fround(settings.confidence);
  const at = (row: number, anchor: number): number => raw[row * anchors + anchor] as number;
  const end = (4 + classes) * anchors;
  const found: RawDetection[] = [];
  for (let anchor = 0; anchor < anchors; anchor++) {
    const first = 4 * anchors + anchor;
    let place = -1;
    let score = threshold;
    // Nearly no score is above the threshold: what the processor guesses of this comparison is right.
    for (let other = first; other < end; other += anchors) {
      if ((raw[other] as number) > score) {
        place = other;
        score = raw[other] as number;
      }
    }
    if (place < 0) continue;
    const classIndex = (place - first) / anchors;
    const [cx, cy] = [at(0, anchor), at(1, anchor)];
    const [halfWidth, halfHeight] = [at(2, anchor) / 2, at(3, anchor) / 2];
    const box = { x1: cx - halfWidth, y1: cy - halfHeight, x2: cx + halfWidth, y2: cy + halfHeight };
    found.push({ box, score, classIndex, anchor });
  }
  return found;
}
