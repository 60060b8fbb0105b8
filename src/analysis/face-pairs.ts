import { wholePixels } from '../vision/crop.ts';
import { intersectionArea, boxArea, boxIou } from '../vision/iou.ts';
import type { Detection, FaceBodyPair } from '../chain/model-chain.ts';
import type { Box } from '../vision/box.ts';
import { assignMaximum } from './tracking/assign.ts';

const MIN_SCORE = 1e-4;

/**
 * Pairs faces with persons so that the sum of mean(IoU, share of the face inside the person) is greatest; the result
 * holds indices into `detections`, persons first, then faces without a person. Follows MiVOLO's `assign_faces`
 * (box edges cut to whole pixels, pairs up to 1e-4 rejected).
 */
export function pairFaces(detections: readonly Detection[]): FaceBodyPair[] {
  const indicesOf = (kind: Detection['class']): number[] =>
    detections.flatMap((detection, index) => (detection.class === kind ? [index] : []));
  const persons = indicesOf('person');
  const faces = indicesOf('face');
  const boxes = detections.map(({ box }) => wholePixels(box));
  const scores = persons.map((person) => faces.map((face) => pairScore(boxes[person], boxes[face])));
  const faceOf = new Map<number, number>();
  for (const [row, column] of scores.length > 0 && faces.length > 0 ? assignMaximum(scores) : []) {
    const person = persons[row];
    const face = faces[column];
    const score = scores[row]?.[column] ?? 0;
    if (person !== undefined && face !== undefined && score > MIN_SCORE) faceOf.set(person, face);
  }
  const paired = new Set(faceOf.values());
  return [
    ...persons.map((person) => ({ person, face: faceOf.get(person) ?? null })),
    ...faces.filter((face) => !paired.has(face)).map((face) => ({ person: null, face })),
  ];
}

/** mean(IoU, share of the face inside the person), 0..1, of boxes in whole pixels; 0 for a face without area. */
export function pairScore(person: Box | undefined, face: Box | undefined): number {
  if (person === undefined || face === undefined) return 0;
  const faceArea = boxArea(face);
  return faceArea > 0 ? (boxIou(person, face) + intersectionArea(person, face) / faceArea) / 2 : 0;
}
