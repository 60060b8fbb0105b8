import { expect } from '@jest/globals';
import { pairFaces, pairScore } from '../../src/analysis/face-pairs.ts';
import { wholePixels } from '../../src/vision/crop.ts';
import { goldenDetections } from '../harness/golden-detections.ts';
import { difference, GoldenGroup, type RawFile } from '../harness/golden-folder.ts';

interface Case {
  id: string;
  input: RawFile;
  expected: {
    persons: number[];
    faces: number[];
    face_to_person: Record<string, number | null>;
    unassigned_persons: number[];
    score_matrix?: RawFile | null;
  };
}

new GoldenGroup<Case>('face_person').each(({ input, expected }, files) => {
  const detections = goldenDetections(files, input);
  const pairs = pairFaces(detections);
  const faceToPerson = pairs.flatMap(({ face, person }) => (face === null ? [] : [[String(face), person] as const]));
  expect(Object.fromEntries(faceToPerson)).toEqual(expected.face_to_person);
  const alone = pairs.filter(({ face }) => face === null).map(({ person }) => person);
  expect(alone).toEqual(expected.unassigned_persons);
  if (expected.score_matrix === undefined || expected.score_matrix === null) return;
  const box = (index: number) => wholePixels(detections[index]!.box);
  const scores = expected.persons.flatMap((p) => expected.faces.map((f) => pairScore(box(p), box(f))));
  expect(difference(scores, files.float32(expected.score_matrix)).max).toBeLessThanOrEqual(1e-6);
});
