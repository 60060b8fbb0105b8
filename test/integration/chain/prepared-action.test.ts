import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openPreparedActions } from '../../../src/chain/action/prepared-actions.ts';
import { openActions } from '../../../src/chain/action/read-actions.ts';
import { sharedVisionLanguage } from '../../../src/chain/fastvlm/vision-language.ts';
import type { ReadPictures } from '../../../src/chain/language-stage.ts';
import type { ActionReading } from '../../../src/chain/model-chain.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { pictureArea, wholeArea, type PictureArea } from '../../../src/vision/picture-area.ts';
import { composedAction, type ComposedAction } from '../../harness/composed-action.ts';
import { exportTest } from '../../harness/export-test.ts';
import { stageOptions } from '../../harness/stage-options.ts';
import { tinyExport } from '../../harness/tiny-export.ts';
import { blank, boxOf, pictureOf, somebody } from '../demo/pictures.ts';
import { largestDifference, readCrop, goldenVlm, streetTest } from './street-pack.ts';
import { preparedPack } from '../../harness/prepared-pack.ts';

// On the CPU, where the chain itself never takes the graph: what it says is what the model says step by step.

const SIZES = [1, 4];

interface BothWays {
  readonly labels: readonly string[];
  readonly graph: ReadPictures<ActionReading>;
  /** Batches filled up to the sizes. */
  readonly padded: ReadPictures<ActionReading>;
  readonly steps: ReadPictures<ActionReading>;
  readonly release: () => Promise<void>;
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prepared-action-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Whole, as it is prepared: the files of the street pack lie elsewhere. */
async function prepared(rawDir: string): Promise<ComposedAction> {
  const pack = await loadPack(await preparedPack(rawDir));
  const spec = pack.manifest.prepared?.action;
  if (spec === undefined) throw new Error(`${rawDir} was prepared without a graph of the action model`);
  return { pack, spec };
}

async function composed(rawDir: string, name: string): Promise<ComposedAction> {
  const dir = join(folder, name);
  await cp(rawDir, dir, { recursive: true });
  return await composedAction(dir);
}

async function openBothWays({ pack, spec }: ComposedAction): Promise<BothWays> {
  const options = stageOptions();
  const shared = sharedVisionLanguage(pack, options);
  const graph = await openPreparedActions(pack, spec, options);
  const padded = await openPreparedActions(pack, spec, { ...options, padTo: SIZES });
  const steps = await openActions(pack, { ...options, visionLanguage: shared.get });
  const release = async (): Promise<void> => {
    await graph.release?.();
    await padded.release?.();
    await shared.release();
  };
  const { labels } = pack.manifest.action;
  return { labels, graph: graph.read, padded: padded.read, steps: steps.read, release };
}

async function withBothWays(action: ComposedAction, check: (ways: BothWays) => Promise<void>): Promise<void> {
  const ways = await openBothWays(action);
  try {
    await check(ways);
  } finally {
    await ways.release();
  }
}

const scoresOf = (readings: readonly ActionReading[]): readonly number[] =>
  readings.flatMap(({ labelScores }) => labelScores);

/** Persons, and pictures of shapes that a crop seldom has; the last one is larger than the graph has taps for. */
function someCrops(): readonly PictureArea[] {
  const anna = somebody({ id: 'anna', x: 380, age: 24 });
  const ben = somebody({ id: 'ben', x: 700, action: 'grabbing', orientation: 90 });
  const cleo = somebody({ id: 'cleo', x: 1000, action: 'walking', orientation: 270 });
  const crowd = pictureOf(anna, ben, cleo);
  const people = [anna, ben, cleo].map((who) => pictureArea(crowd, boxOf(who)));
  return [...people, wholeArea(blank(30, 200)), wholeArea(blank(11, 12, 200)), wholeArea(crowd)];
}

async function expectSameScores(ways: BothWays, crops: readonly PictureArea[], most: number): Promise<void> {
  const [found, expected] = [await ways.graph(crops), await ways.steps(crops)];
  expect(found.map(({ labelScores }) => labelScores.length)).toEqual(crops.map(() => ways.labels.length));
  expect(largestDifference(scoresOf(found), scoresOf(expected))).toBeLessThan(most);
  found.forEach(({ score }, i) => expect(score).toBeCloseTo(expected[i]!.score, 2));
}

/** Alone, turned round, and beside rows that only fill a run up, behind a run that was full as well. */
async function expectIndependent(ways: BothWays, crops: readonly PictureArea[], most: number): Promise<void> {
  const together = await ways.graph(crops);
  const turned = await ways.graph(crops.toReversed());
  expect(largestDifference(scoresOf(turned.toReversed()), scoresOf(together))).toBeLessThan(most);
  for (const count of [4, 2, 1, 3]) {
    const some = await ways.padded(crops.slice(0, count));
    expect(largestDifference(scoresOf(some), scoresOf(together.slice(0, count)))).toBeLessThan(most);
  }
}

test('the graph of the demo pack reads the actions that the model reads step by step', async () => {
  await withBothWays(await composed('models/demo', 'demo'), async (ways) => {
    const crops = someCrops();
    await expectSameScores(ways, crops, 1e-5);
    await expectIndependent(ways, crops, 1e-5);
    const read = (await ways.graph(crops)).map(({ label }) => label);
    expect(read.slice(0, 3)).toEqual(['standing', 'grabbing', 'walking']);
  });
});

streetTest('the graph of the street pack gives the reference scores', async () => {
  await withBothWays(await prepared('test/packs/street'), async (ways) => {
    const { crops } = goldenVlm();
    const pictures = (await Promise.all(crops.map((crop) => readCrop(crop.png)))).map(wholeArea);
    await expectSameScores(ways, pictures, 1e-5);
    await expectIndependent(ways, pictures, 1e-5);
    const readings = await ways.graph(pictures);
    for (const [i, crop] of crops.entries()) {
      const expected = ways.labels.map((label) => crop.labelLogProbs[label]!.sum);
      expect(largestDifference(readings[i]!.labelScores, expected)).toBeLessThan(1e-3);
      expect(readings[i]!.label).toBe(crop.action);
    }
  });
});

describe('the graph of an official export', () => {
  exportTest.each([
    ['fp32', 1e-5],
    ['fp16', 1e-4],
  ] as const)('gives the scores that the model gives step by step: %s within %d', async (precision, most) => {
    await withBothWays(await composed(join(await tinyExport(), precision), precision), async (ways) => {
      await expectSameScores(ways, someCrops(), most);
      await expectIndependent(ways, someCrops(), most);
    });
  });
});
