/** A detection in the ranking: true when it is on a person. */
export interface RankedDetection {
  readonly score: number;
  readonly correct: boolean;
}

/**
 * Area under the precision-recall curve with precision made monotone (all-point interpolation, as PASCAL VOC 2010 and
 * later); `positives` is the number of persons to be found. 0..1; null when there is nobody to find.
 */
export function averagePrecision(detections: readonly RankedDetection[], positives: number): number | null {
  if (positives === 0) return null;
  const ranked = [...detections].sort((a, b) => b.score - a.score);
  let correct = 0;
  const points = ranked.map((detection, index) => {
    if (detection.correct) correct += 1;
    return { recall: correct / positives, precision: correct / (index + 1) };
  });
  let area = 0;
  let best = 0;
  for (let index = points.length - 1; index >= 0; index--) {
    const point = points[index];
    if (point === undefined) continue;
    best = Math.max(best, point.precision);
    area += best * (point.recall - (points[index - 1]?.recall ?? 0));
  }
  return area;
}
