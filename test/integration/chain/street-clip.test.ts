import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from '@jest/globals';
import { createModelChain } from '../../../src/chain/create-model-chain.ts';
import type { Detection } from '../../../src/chain/model-chain.ts';
import { boxIou } from '../../../src/vision/iou.ts';
import type { Box } from '../../../src/vision/box.ts';
import { loadStreet, streetDir, streetTest } from './street-pack.ts';
import { videoFrames } from '../../harness/video-frames.ts';
import { sharedFrame } from '../../harness/shared-frame.ts';

interface ExpectedBox {
  readonly box: readonly [number, number, number, number];
  readonly score: number;
  readonly stable?: boolean;
}

interface Expected {
  readonly samples: readonly {
    readonly frameIndex: number;
    readonly detections: readonly ExpectedBox[];
    readonly belowThreshold: readonly ExpectedBox[];
  }[];
}

const toBox = ({ box: [x1, y1, x2, y2] }: ExpectedBox): Box => ({ x1, y1, x2, y2 });

interface Counts {
  stable: number;
  found: number;
  boxes: number;
  unexpected: number;
}

function compare(sample: Expected['samples'][number], detections: readonly Detection[], counts: Counts): void {
  const stable = sample.detections.filter((d) => d.stable === true);
  const isFound = (expected: ExpectedBox): boolean =>
    detections.some((d) => boxIou(d.box, toBox(expected)) >= 0.9 && Math.abs(d.score - expected.score) <= 0.02);
  const known = [...sample.detections, ...sample.belowThreshold].map(toBox);
  counts.stable += stable.length;
  counts.found += stable.filter(isFound).length;
  counts.boxes += detections.length;
  counts.unexpected += detections.filter((d) => !known.some((box) => boxIou(box, d.box) >= 0.5)).length;
}

streetTest('the detections of the whole clip are the expected ones', async () => {
  const { samples } = JSON.parse(readFileSync(join(streetDir, 'expected-detections.json'), 'utf8')) as Expected;
  const clip = resolve(streetDir, '../../videos/one-by-one-person-detection.mp4');
  const frames = await videoFrames(
    clip,
    samples.map((sample) => sample.frameIndex),
    { width: 768, height: 432 },
  );
  const chain = await createModelChain({
    pack: await loadStreet(),
    device: 'cpu',
    threads: { vision: 2, language: 1 },
    batch: { detection: 8, people: 1, language: 1 },
    localScenes: false,
  });
  const counts = { stable: 0, found: 0, boxes: 0, unexpected: 0 };
  try {
    const { signal } = new AbortController();
    for (let from = 0; from < frames.length; from += 8) {
      const handles = frames.slice(from, from + 8).map((frame) => chain.addFrame(sharedFrame(frame)));
      const found = await Promise.all(handles.map((handle) => chain.detection(handle, signal)));
      for (const handle of handles) chain.releaseFrame(handle);
      found.forEach((detections, i) => compare(samples[from + i]!, detections, counts));
    }
  } finally {
    await chain.close();
  }
  expect(counts.stable).toBeGreaterThan(200);
  expect(counts.found / counts.stable).toBeGreaterThanOrEqual(0.98);
  expect(counts.unexpected / counts.boxes).toBeLessThanOrEqual(0.02);
});
