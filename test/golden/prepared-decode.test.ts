import { expect } from '@jest/globals';
import { bothWays, constantDetector, withDetector } from '../harness/prepared-detector.ts';
import { difference, GoldenGroup, type RawFile } from '../harness/golden-folder.ts';

interface Case {
  id: string;
  input: RawFile;
  expected: {
    count: number;
    classes: number[];
    scores: RawFile;
    boxes_source: { width: number; height: number; boxes: RawFile }[];
  };
}

new GoldenGroup<Case>('detect_decode').each(async ({ input, expected }, files) => {
  const pack = await withDetector(constantDetector(files.float32(input), input.shape));
  const stages = await bothWays(pack);
  // One batch of frames of several sizes.
  const frames = expected.boxes_source.map(({ width, height }) => ({
    width,
    height,
    pixels: new Uint8Array(width * height * 3),
  }));
  const found = await stages.prepared.run(frames);
  expect(found).toEqual(await stages.plain.run(frames));
  expected.boxes_source.forEach((source, i) => {
    const detections = found[i]!;
    expect(detections).toHaveLength(expected.count);
    expect(detections.map((detection) => (detection.class === 'person' ? 0 : 1))).toEqual(expected.classes);
    expect(detections.map(({ score }) => score)).toEqual([...files.float32(expected.scores)]);
    const flat = detections.flatMap(({ box }) => [box.x1, box.y1, box.x2, box.y2]);
    expect(difference(flat, files.float32(source.boxes)).max).toBeLessThanOrEqual(1e-3);
  });
  await stages.release();
});
