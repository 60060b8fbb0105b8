import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Crop } from '../../../../src/chain/crop-feeds.ts';
import { pairFaces } from '../../../../src/analysis/face-pairs.ts';
import { writeAgeGenderRow } from '../../../oracle/write-age-gender-row.ts';
import { bodyCrop, faceCrop } from '../../../oracle/body-crop.ts';
import { orientationSource, stretchedSource } from '../../../../src/vision/crop-source.ts';
import { pixelWindow } from '../../../../src/vision/crop.ts';
import { crop } from '../../../oracle/crop.ts';
import type { Picture } from '../../../../src/vision/picture.ts';
import { writePlanes } from '../../../oracle/write-planes.ts';
import { resizeBilinear } from '../../../oracle/resize-bilinear.ts';
import { orientationCrop } from '../../../oracle/orientation-crop.ts';
import { FACE_BODY, IMAGENET, openCropGraph, PERSON, rowCrops, type CropGraph } from '../../../harness/crop-graphs.ts';
import { differingBits } from '../../../harness/differing-bits.ts';
import { anyBox, anyDetections, noise, SCENE_SIZES } from '../../../harness/random-scenes.ts';
import { numbers } from '../../../unit/vision/pictures.ts';

const ROW = 6 * FACE_BODY.width * FACE_BODY.height;
const PLANES = 3 * PERSON.width * PERSON.height;
const TARGET = { ...PERSON, scale: 1.25 };

let random: () => number;
let frames: readonly Picture[];
const graphs: CropGraph[] = [];

beforeAll(() => {
  random = numbers(20_241);
  frames = SCENE_SIZES.map((size) => noise(random, size));
});

afterAll(async () => {
  for (const graph of graphs) await graph.release();
});

async function open(...args: Parameters<typeof openCropGraph>): Promise<CropGraph> {
  const graph = await openCropGraph(...args);
  graphs.push(graph);
  return graph;
}

interface Row {
  readonly crops: readonly (Crop | null)[];
  readonly expected: Float32Array;
  readonly present: readonly boolean[];
}

/** Every face and body of a random scene, matched or not. */
function ageGenderRows(frame: Picture, count: number): readonly Row[] {
  const detections = anyDetections(random, frame, count);
  return pairFaces(detections).map((pair) => {
    const face = pair.face === null ? null : faceCrop(frame, detections[pair.face]!.box);
    const body = pair.person === null ? null : bodyCrop(frame, detections, pair.person);
    const expected = new Float32Array(ROW);
    writeAgeGenderRow(face, body, expected, 0, { size: FACE_BODY.width, ...IMAGENET });
    return { crops: rowCrops(frame, detections, pair), expected, present: [face !== null, body !== null] };
  });
}

function joined(rows: readonly { readonly expected: Float32Array }[]): Float32Array {
  const all = new Float32Array(rows.length * ROW);
  rows.forEach(({ expected }, i) => all.set(expected, i * ROW));
  return all;
}

describe('faces and bodies', () => {
  test('of any boxes, in batches over frames of any size, are those of the plain path to the last bit', async () => {
    const graph = await open('ageGender');
    const seen = { faces: 0, bodies: 0, blanks: 0, absent: 0 };
    for (const count of [1, 3, 8, 14]) {
      const rows = frames.flatMap((frame) => ageGenderRows(frame, count).slice(0, 3));
      expect(differingBits(await graph.run(rows.flatMap(({ crops }) => crops)), joined(rows))).toBe(0);
      for (const { crops, present } of rows) {
        expect(crops.map((part) => part !== null)).toEqual(present);
        const [face, body] = present;
        seen.faces += face === true ? 1 : 0;
        seen.bodies += body === true ? 1 : 0;
        seen.blanks += crops[1]?.source.blanks.length ?? 0;
        seen.absent += crops.filter((part) => part === null).length;
      }
    }
    // The boxes are random: they must have tried what they are for.
    expect(Math.min(...Object.values(seen))).toBeGreaterThanOrEqual(5);
  });

  test('a row alone and a row between others are the same', async () => {
    const graph = await open('ageGender');
    const rows = frames.flatMap((frame) => ageGenderRows(frame, 6).slice(0, 2));
    const together = await graph.run(rows.flatMap(({ crops }) => crops));
    for (const [i, { crops }] of rows.entries()) {
      expect(differingBits(await graph.run(crops), together.subarray(i * ROW, (i + 1) * ROW))).toBe(0);
    }
  });

  test('a model in half precision gets the same numbers, rounded once', async () => {
    const graph = await open('ageGender', 'float16');
    const rows = frames.flatMap((frame) => ageGenderRows(frame, 5).slice(0, 1));
    const half = new (
      globalThis as unknown as { Float16Array: new (values: Float32Array) => ArrayBufferView }
    ).Float16Array(joined(rows));
    expect(differingBits(await graph.run(rows.flatMap(({ crops }) => crops)), half)).toBe(0);
  });

  test('frames that are wanted whole travel once', async () => {
    const graph = await open('ageGender');
    const frame = frames[0]!;
    const everything = { x1: 0, y1: 0, x2: frame.width, y2: frame.height };
    const detections = [
      { class: 'person', box: everything },
      { class: 'face', box: { x1: 10, y1: 20, x2: 90, y2: 120 } },
      { class: 'person', box: { x1: 200, y1: 50, x2: 400, y2: 300 } },
    ] as const;
    const pairs = [
      { person: 0, face: 1 },
      { person: 2, face: null },
    ];
    const expected = new Float32Array(pairs.length * ROW);
    pairs.forEach(({ person, face }, i) => {
      const part = face === null ? null : faceCrop(frame, detections[face]!.box);
      const settings = { size: FACE_BODY.width, ...IMAGENET };
      writeAgeGenderRow(part, bodyCrop(frame, detections, person), expected, i * ROW, settings);
    });
    expect(differingBits(await graph.run(pairs.flatMap((pair) => rowCrops(frame, detections, pair))), expected)).toBe(
      0,
    );
  });
});

describe('persons', () => {
  test.each([
    ['affine', (frame: Picture, box: Parameters<typeof crop>[1]) => orientationCrop(frame, box, TARGET)],
    [
      'resize',
      (frame: Picture, box: Parameters<typeof crop>[1]) => {
        const tight = crop(frame, box);
        const black = { ...PERSON, pixels: new Uint8Array(PLANES) };
        return tight === null ? black : resizeBilinear(tight, PERSON.width, PERSON.height);
      },
    ],
  ] as const)('%s crops of any boxes are those of the plain path to the last bit', async (kind, plain) => {
    const graph = await open(kind);
    let black = 0;
    for (let round = 0; round < 4; round++) {
      const boxes = frames.flatMap((frame) => [0, 1].map(() => ({ frame, box: anyBox(random, frame) })));
      const crops = boxes.map(({ frame, box }): Crop | null => {
        const window = pixelWindow(frame, box);
        const stretched = window === null ? null : stretchedSource(window, PERSON);
        const source = kind === 'affine' ? orientationSource(frame, box, TARGET) : stretched;
        return source === null ? null : { frame, source };
      });
      const expected = new Float32Array(boxes.length * PLANES);
      boxes.forEach(({ frame, box }, i) => writePlanes(plain(frame, box), expected, i * PLANES, IMAGENET));
      expect(differingBits(await graph.run(crops), expected)).toBe(0);
      black += crops.filter((part) => part === null).length;
    }
    expect(black).toBeGreaterThan(0);
  });
});
