import { expect } from '@jest/globals';
import type { Box } from '../../src/vision/box.ts';
import { decodeDetections } from '../../src/vision/decode-detections.ts';
import { fromLetterbox } from '../../src/vision/letterbox.ts';
import { difference, GoldenGroup, type RawFile } from '../harness/golden-folder.ts';

interface Case {
  id: string;
  input: RawFile;
  expected: {
    count: number;
    anchors: number[];
    classes: number[];
    scores: RawFile;
    boxes_640: RawFile;
    boxes_source: { width: number; height: number; boxes: RawFile }[];
  };
}

const flat = (boxes: readonly Box[]): number[] => boxes.flatMap(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2]);

new GoldenGroup<Case>('detect_decode').each(({ input, expected }, files) => {
  const found = decodeDetections(files.float32(input), {
    anchors: input.shape[2]!,
    classes: input.shape[1]! - 4,
    confidence: 0.4,
    iou: 0.7,
    maxDetections: 300,
  });
  expect(found).toHaveLength(expected.count);
  expect(found.map(({ anchor }) => anchor)).toEqual(expected.anchors);
  expect(found.map(({ classIndex }) => classIndex)).toEqual(expected.classes);
  expect(found.map(({ score }) => score)).toEqual([...files.float32(expected.scores)]);
  const boxes = found.map(({ box }) => box);
  expect(difference(flat(boxes), files.float32(expected.boxes_640)).max).toBeLessThanOrEqual(1e-4);
  for (const source of expected.boxes_source) {
    const mapped = boxes.map((box) => fromLetterbox(box, source.width, source.height, 640, 640));
    expect(difference(flat(mapped), files.float32(source.boxes)).max).toBeLessThanOrEqual(1e-3);
  }
});
