import { expect, test } from '@jest/globals';
import { type FoundBox, matchFrame } from '../../../src/evaluation/match-frame.ts';
import type { TruthFrame } from '../../../src/evaluation/truth.ts';

const person = { box: [100, 100, 200, 400], visible: 1, orientation: 180, action: 'none' } as const;
const frame: TruthFrame = {
  index: 0,
  seconds: 0,
  persons: [
    { ...person, id: 'front', box: [100, 100, 200, 400], face: [130, 110, 170, 160], faceVisible: 1 },
    { ...person, id: 'half', box: [300, 100, 400, 400], face: [330, 110, 370, 160], faceVisible: 0.5 },
    { ...person, id: 'back', box: [500, 100, 600, 400], face: null, faceVisible: 0 },
    { ...person, id: 'hidden', box: [700, 100, 800, 400], visible: 0.3, face: [730, 110, 770, 160], faceVisible: 1 },
  ],
};
const picture = { width: 1280, height: 720 };
const found = (what: FoundBox['class'], box: FoundBox['box']): FoundBox => ({ track: 1, class: what, box, score: 0.9 });
const ids = (known: readonly { readonly person: { readonly id: string } }[]): string[] => known.map((k) => k.person.id);

test('persons are asked for by the share of the body that can be seen', () => {
  const { found: pairs, missed, spurious } = matchFrame(frame, [found('person', [110, 100, 210, 400])], picture);
  expect(ids(pairs.map(({ known }) => known))).toEqual(['front']);
  expect(pairs[0]?.iou).toBeCloseTo(90 / 110);
  expect(ids(missed)).toEqual(['half', 'back']);
  expect(spurious).toEqual([]);
});

test('faces are asked for by the share of the face, and a turned one is not there', () => {
  const boxes = [found('face', [331, 110, 371, 160]), found('face', [530, 110, 570, 160])];
  const { found: pairs, missed, spurious } = matchFrame(frame, boxes, picture, 'face');
  // Half a face may be found, but need not be.
  expect(pairs.map(({ known }) => [known.person.id, known.isVisible])).toEqual([['half', false]]);
  expect(ids(missed)).toEqual(['front', 'hidden']);
  expect(spurious).toEqual([boxes[1]]);
});
