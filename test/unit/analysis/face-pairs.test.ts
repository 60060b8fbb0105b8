import { expect, test } from '@jest/globals';
import { pairFaces } from '../../../src/analysis/face-pairs.ts';
import type { Detection } from '../../../src/chain/model-chain.ts';

const of = (kind: Detection['class'], x1: number, y1: number, x2: number, y2: number): Detection => ({
  class: kind,
  box: { x1, y1, x2, y2 },
  score: 0.9,
});

test('each face goes to the person that holds it, whatever the order', () => {
  const detections = [
    of('face', 420, 110, 460, 150),
    of('person', 100, 100, 200, 400),
    of('face', 130, 110, 170, 150),
    of('person', 400, 100, 500, 400),
  ];
  expect(pairFaces(detections)).toEqual([
    { person: 1, face: 2 },
    { person: 3, face: 0 },
  ]);
});

test('the sum decides: a face in two persons goes where the other face leaves room', () => {
  const detections = [
    of('person', 100, 100, 300, 400),
    of('person', 150, 100, 350, 400),
    of('face', 160, 110, 200, 150),
    of('face', 110, 110, 150, 150),
  ];
  expect(pairFaces(detections)).toEqual([
    { person: 0, face: 3 },
    { person: 1, face: 2 },
  ]);
});

test('faces without a person and persons without a face stay alone', () => {
  const detections = [of('person', 0, 0, 50, 100), of('face', 200, 0, 220, 20)];
  expect(pairFaces(detections)).toEqual([
    { person: 0, face: null },
    { person: null, face: 1 },
  ]);
  expect(pairFaces([])).toEqual([]);
});

test('a face cut to nothing by whole pixels is nobody’s', () => {
  expect(pairFaces([of('person', 0, 0, 50, 100), of('face', 10.2, 10, 10.9, 20)])[0]).toEqual({
    person: 0,
    face: null,
  });
});
