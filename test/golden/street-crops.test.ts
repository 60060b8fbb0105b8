import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { createPixelKernel } from '../../src/vision/kernel/pixel-kernel.ts';
import { wholeArea } from '../../src/vision/picture-area.ts';
import { difference, GoldenFiles, type RawFile } from '../harness/golden-folder.ts';

interface Crop {
  png: string;
  width: number;
  height: number;
  pixelValues: RawFile;
}

const folder = resolve(process.env['STREET_DIR'] ?? '../shared/packs/street', 'golden');

if (existsSync(folder)) {
  const files = new GoldenFiles(folder);
  const { crops } = files.json('vlm.json') as { crops: Crop[] };
  test('there are person crops', () => expect(crops.length).toBeGreaterThan(0));
  test.each(crops.map((crop) => [crop.png, crop] as const))('%s becomes the reference tensor', async (_name, crop) => {
    const picture = await files.picture(crop.png);
    expect([picture.width, picture.height]).toEqual([crop.width, crop.height]);
    const [, , height, width] = crop.pixelValues.shape as [number, number, number, number];
    const planes = createPixelKernel().planes({ width, height });
    planes.reserve(1);
    planes.square(0, wholeArea(picture));
    const delta = difference(planes.view(1), files.float32(crop.pixelValues));
    expect(delta.mean).toBeLessThanOrEqual(0.001);
    expect(delta.max).toBeLessThanOrEqual(0.02);
  });
} else {
  test.skip(`person crops of the street pack (no files in ${folder}; set STREET_DIR)`, () => undefined);
}
