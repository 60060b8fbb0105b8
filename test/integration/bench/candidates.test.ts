import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Pack } from '../../../src/packs/load-pack.ts';
import { calibrateThreshold, countCandidates } from '../../bench/gpu/candidates.ts';
import { constantDetector, withDetector } from '../../harness/prepared-detector.ts';

const ANCHORS = 200;
const CPU = { device: 'cpu', threads: 1 } as const;

/** A pack whose detector gives these scores for persons, and boxes that all lie on each other. */
async function packWith(scores: readonly number[]): Promise<Pack> {
  const raw = new Float32Array(6 * ANCHORS).fill(100, 0, 4 * ANCHORS);
  raw.set(scores, 4 * ANCHORS);
  return withDetector(constantDetector(raw, [1, 6, ANCHORS]));
}

const withThreshold = (pack: Pack, confidence: number): Pack => ({
  ...pack,
  manifest: { ...pack.manifest, detection: { ...pack.manifest.detection, confidence } },
});

test('candidates are counted before the suppression, and the threshold lets as many through as wanted', async () => {
  const pack = await packWith(Array.from({ length: ANCHORS }, (_, i) => ((i * 7) % ANCHORS) / ANCHORS));
  expect(await countCandidates(withThreshold(pack, 0.4), CPU)).toBe(119);
  const dir = await mkdtemp(join(tmpdir(), 'threshold-'));
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(pack.manifest));
  const told = await calibrateThreshold(pack, CPU, { dirs: [dir], wanted: 60 });
  expect(told).toMatchObject({ anchors: ANCHORS, candidates: 60 });
  const { detection } = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')) as Pack['manifest'];
  expect(await countCandidates(withThreshold(pack, detection.confidence), CPU)).toBe(60);
});

test('where more than wanted have the greatest score, all of those are let through', async () => {
  const pack = await packWith(Array.from({ length: ANCHORS }, (_, i) => (i % 2 === 0 ? 1 : 0.5)));
  expect(await calibrateThreshold(pack, CPU, { dirs: [], wanted: 60 })).toMatchObject({
    threshold: 0.5,
    candidates: 100,
  });
});
