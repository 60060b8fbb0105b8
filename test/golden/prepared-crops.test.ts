import { afterAll, beforeAll, expect } from '@jest/globals';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Crop } from '../../src/chain/crop-feeds.ts';
import { GraphBuilder } from '../../src/graphs/onnx/graph-builder.ts';
import { strongestBin } from '../../src/graphs/prepare/orientation-graph.ts';
import { writeAgeGenderRow } from '../oracle/write-age-gender-row.ts';
import { bodyCrop, faceCrop } from '../oracle/body-crop.ts';
import { orientationSource, stretchedSource } from '../../src/vision/crop-source.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { writePlanes } from '../oracle/write-planes.ts';
import { resizeBilinear } from '../oracle/resize-bilinear.ts';
import { orientationCrop } from '../oracle/orientation-crop.ts';
import { FACE_BODY, IMAGENET, openCropGraph, PERSON, rowCrops, type CropGraph } from '../harness/crop-graphs.ts';
import { differingBits } from '../harness/differing-bits.ts';
import { goldenDetections } from '../harness/golden-detections.ts';
import { every, GoldenGroup, stridedDifference, type RawFile, type StridedValues } from '../harness/golden-folder.ts';

interface AgeGenderCase {
  id: string;
  kind?: 'post_only';
  image: { file: string };
  detections: RawFile;
  expected: { rows: { face_index: number; body_index: number; norm_checks: StridedValues }[] };
}

interface AngleCase {
  id: string;
  kind: 'angle';
  input: RawFile;
  expected: { degrees: number[] };
}

interface OrientationCase {
  id: string;
  kind: 'resize' | 'affine';
  input: { file: string };
  bbox_xywh: [number, number, number, number];
  expected: { norm_checks: StridedValues };
}

const ROW = 6 * FACE_BODY.width * FACE_BODY.height;
const TARGET = { ...PERSON, scale: 1.25 };

let graphs: Readonly<Record<'ageGender' | 'affine' | 'resize', CropGraph>>;

beforeAll(async () => {
  const [ageGender, affine, resize] = await Promise.all([
    openCropGraph('ageGender'),
    openCropGraph('affine'),
    openCropGraph('resize'),
  ]);
  graphs = { ageGender, affine, resize };
});

afterAll(async () => {
  for (const graph of Object.values(graphs)) await graph.release();
});

/** Both ways agree to the last bit, and with the reference as closely as the plain way does. */
new GoldenGroup<AgeGenderCase>('age_gender').each(async (c, files) => {
  // The case is about reading numbers, which is not the graph's; or nobody is in the picture.
  if (c.kind === 'post_only' || c.expected.rows.length === 0) return;
  const picture = await files.picture(c.image.file);
  const detections = goldenDetections(files, c.detections);
  const pairs = c.expected.rows.map(({ face_index: face, body_index: person }) => ({
    face: face < 0 ? null : face,
    person: person < 0 ? null : person,
  }));
  const made = await graphs.ageGender.run(pairs.flatMap((pair) => rowCrops(picture, detections, pair)));
  const plain = new Float32Array(pairs.length * ROW);
  pairs.forEach(({ face, person }, i) => {
    const parts = [
      face === null ? null : faceCrop(picture, detections[face]!.box),
      person === null ? null : bodyCrop(picture, detections, person),
    ] as const;
    writeAgeGenderRow(...parts, plain, i * ROW, { size: FACE_BODY.width, ...IMAGENET });
  });
  expect(differingBits(made, plain)).toBe(0);
  c.expected.rows.forEach(({ norm_checks }, i) => {
    const row = made.slice(i * ROW, (i + 1) * ROW) as Float32Array;
    expect(stridedDifference(row, norm_checks, files)).toBeLessThanOrEqual(1e-6);
  });
});

new GoldenGroup<OrientationCase | AngleCase>('orientation').each(async (c, files) => {
  if (c.kind === 'angle') {
    const [rows, bins] = c.input.shape as [number, number];
    const read = await strongestBins(files.float32(c.input), bins);
    expect(every(0, 2, rows * 2).map((i) => read[i]! * (360 / bins))).toEqual(c.expected.degrees);
    return;
  }
  const picture = await files.picture(c.input.file);
  const [crop, cut] = c.kind === 'affine' ? affine(picture, c.bbox_xywh) : stretched(picture);
  const made = (await graphs[c.kind].run([crop])) as Float32Array;
  const plain = new Float32Array(made.length);
  writePlanes(cut, plain, 0, IMAGENET);
  expect(differingBits(made, plain)).toBe(0);
  expect(stridedDifference(made, c.expected.norm_checks, files)).toBeLessThanOrEqual(1e-6);
});

async function strongestBins(values: Float32Array, bins: number): Promise<Float32Array> {
  const graph = new GraphBuilder('bins');
  const input = graph.input('bins', 'float32', ['batch', bins]);
  graph.output(strongestBin(graph, input, bins), 'readings', 'float32', ['batch', 2]);
  const session = await InferenceSession.create(graph.toBytes());
  const { readings } = await session.run({ bins: new Tensor('float32', values, [values.length / bins, bins]) });
  await session.release();
  return readings!.data as Float32Array;
}

function affine(frame: Picture, [x, y, w, h]: OrientationCase['bbox_xywh']): readonly [Crop, Picture] {
  const box = { x1: x, y1: y, x2: x + w, y2: y + h };
  return [{ frame, source: orientationSource(frame, box, TARGET)! }, orientationCrop(frame, box, TARGET)];
}

function stretched(frame: Picture): readonly [Crop, Picture] {
  const window = { x1: 0, y1: 0, x2: frame.width, y2: frame.height };
  const source = stretchedSource(window, PERSON);
  return [{ frame, source }, resizeBilinear(frame, PERSON.width, PERSON.height)];
}
