import { expect } from '@jest/globals';
import { pairFaces } from '../../src/analysis/face-pairs.ts';
import { partsOf } from '../../src/chain/age-gender/person-parts.ts';
import type { Detection } from '../../src/chain/model-chain.ts';
import { readAgeGender } from '../../src/vision/age-gender-row.ts';
import { writeAgeGenderRow } from '../oracle/write-age-gender-row.ts';
import { bodyCrop, faceCrop } from '../oracle/body-crop.ts';
import { letterbox } from '../oracle/letterbox.ts';
import { createPixelKernel } from '../../src/vision/kernel/pixel-kernel.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { differingBits } from '../harness/differing-bits.ts';
import { goldenDetections } from '../harness/golden-detections.ts';
import {
  difference,
  expectSamePicture,
  GoldenGroup,
  sha256,
  stridedDifference,
  type GoldenFiles,
  type PictureRows,
  type RawFile,
  type StridedValues,
} from '../harness/golden-folder.ts';

interface Row {
  face_index: number;
  body_index: number;
  face_present: boolean;
  body_present: boolean;
  face_u8?: PictureRows;
  body_u8?: PictureRows;
  norm_checks: StridedValues;
}

/** Null for detections without a reading. */
interface Readings {
  ages: (number | null)[];
  genders: (string | null)[];
  gender_scores: (number | null)[];
}

interface ImageCase {
  id: string;
  kind?: never;
  image: { file: string };
  detections: RawFile;
  options: { use_persons: boolean; use_faces: boolean };
  expected: {
    rows: Row[];
    face_to_person?: Record<string, number | null> | null;
    body_crops?: Record<string, (RawFile & { sha256?: string }) | { file?: never; sha256: string } | null>;
    post?: Readings & { raw: number[][] };
  };
}

interface PostCase {
  id: string;
  kind: 'post_only';
  input: RawFile;
  expected: Readings;
}

const CONSTANTS = { minAge: 1, maxAge: 95, avgAge: 48 };
const SETTINGS = { size: 224, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const kernel = createPixelKernel();
const planes = kernel.planes({ width: 224, height: 224 }, SETTINGS);
planes.reserve(2);

new GoldenGroup<ImageCase | PostCase>('age_gender').each(async (c, files) => {
  if (c.kind === 'post_only') {
    const raw = files.float32(c.input);
    expectReadings(
      Array.from({ length: raw.length / 3 }, (_, i) => raw.subarray(i * 3, i * 3 + 3)),
      c.expected,
    );
    return;
  }
  const picture = await files.picture(c.image.file);
  const detections = goldenDetections(files, c.detections);
  if (c.options.use_persons && c.options.use_faces) expectRows(detections, c.expected.rows);
  expectBodies(picture, detections, c.expected.body_crops ?? {}, files);
  for (const row of c.expected.rows) expectPrepared(picture, detections, row, files);
  if (c.expected.post === undefined) return;
  // A row's reading belongs to its face and to its body.
  const outputOf = detections.map((_, index) => {
    const row = c.expected.rows.findIndex((r) => r.face_index === index || r.body_index === index);
    return row < 0 ? null : Float32Array.from(c.expected.post?.raw[row] ?? []);
  });
  expectReadings(outputOf, c.expected.post);
});

/** The same pairs, in any order: a row does not depend on its neighbours. */
function expectRows(detections: readonly Detection[], rows: readonly Row[]): void {
  const pairs = pairFaces(detections).map(({ face, person }) => `${face ?? -1} ${person ?? -1}`);
  expect(pairs.sort()).toEqual(rows.map((row) => `${row.face_index} ${row.body_index}`).sort());
}

function expectBodies(
  picture: Picture,
  detections: readonly Detection[],
  expected: NonNullable<ImageCase['expected']['body_crops']>,
  files: GoldenFiles,
): void {
  for (const [index, entry] of Object.entries(expected)) {
    const body = bodyCrop(picture, detections, Number(index));
    if (entry === null || body === null) {
      expect(body).toBe(entry);
      continue;
    }
    if (entry.file !== undefined) expect(difference(body.pixels, files.uint8(entry)).max).toBe(0);
    if (entry.sha256 !== undefined) expect(sha256(body.pixels)).toBe(entry.sha256);
  }
}

function expectPrepared(picture: Picture, detections: readonly Detection[], row: Row, files: GoldenFiles): void {
  const face = row.face_index < 0 ? null : faceCrop(picture, detections[row.face_index]!.box);
  const body = row.body_index < 0 ? null : bodyCrop(picture, detections, row.body_index);
  expect({ face: face !== null, body: body !== null }).toEqual({ face: row.face_present, body: row.body_present });
  if (face !== null && row.face_u8 !== undefined) expectSamePicture(letterbox(face, 224, 224, 0), row.face_u8, files);
  if (body !== null && row.body_u8 !== undefined) expectSamePicture(letterbox(body, 224, 224, 0), row.body_u8, files);
  const oracle = new Float32Array(6 * 224 * 224);
  writeAgeGenderRow(face, body, oracle, 0, SETTINGS);
  const index = (place: number) => (place < 0 ? null : place);
  const pair = { face: index(row.face_index), person: index(row.body_index) };
  const parts = partsOf({ frame: picture, detections, pair }, kernel);
  [parts.face, parts.body].forEach((part, place) => {
    if (part === null) planes.black(place);
    else planes.letterbox(place, part, 0);
  });
  expect(differingBits(planes.view(2), oracle)).toBe(0);
  expect(stridedDifference(planes.view(2), row.norm_checks, files)).toBeLessThanOrEqual(1e-6);
}

function expectReadings(rows: readonly (Float32Array | null)[], expected: Readings): void {
  const read = rows.map((row) => (row === null ? null : readAgeGender(row, CONSTANTS)));
  expect(read.map((reading) => reading?.age ?? null)).toEqual(expected.ages);
  expect(read.map((reading) => reading?.gender ?? null)).toEqual(expected.genders);
  const scores = read.map((reading) => reading?.genderScore ?? 0);
  const expectedScores = expected.gender_scores.map((score) => score ?? 0);
  expect(difference(scores, expectedScores).max).toBeLessThanOrEqual(1e-5);
}
