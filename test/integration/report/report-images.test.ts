import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readReportImages } from '../../../src/report/key-frames.ts';
import { sampleAnalysis, sampleEvent } from '../../harness/analysis-sample.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('reads highlights and key frames, and does without the ones that are gone', async () => {
  const file = join(folder, 'a.jpg');
  await writeFile(file, 'picture');
  const analysis = sampleAnalysis({
    events: [
      sampleEvent({ highlight: { key: 'kept', file } }),
      sampleEvent({ highlight: { key: 'gone', file: join(folder, 'b.jpg') } }),
      sampleEvent({ highlight: null }),
    ],
  });
  const images = await readReportImages(analysis, [
    { frameIndex: 7, t: 0.7, file },
    { frameIndex: 14, t: 1.4, file: join(folder, 'c.jpg') },
  ]);
  expect([...images.highlights.keys()]).toEqual(['kept']);
  expect(images.keyFrames.map(({ frameIndex, jpeg }) => [frameIndex, Buffer.from(jpeg).toString()])).toEqual([
    [7, 'picture'],
  ]);
});
