import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDetection } from '../../../../src/chain/detection/open-detection.ts';
import { batchSizes } from '../../../../src/inference/batch.ts';
import { loadPack } from '../../../../src/packs/load-pack.ts';
import { preparePack } from '../../../../src/preparation/prepare-pack.ts';
import { detrGraph } from '../../../../src/graphs/prepare/detr-graph.ts';
import { readOnnx } from '../../../../src/graphs/onnx/onnx-model.ts';
import { resizeBilinear } from '../../../oracle/resize-bilinear.ts';
import { pictureBeforeWall, writeDetrPack, type DetrChoice, type DetrPack } from '../../../harness/detr-pack.ts';
import type { DetectionStage } from '../../../harness/prepared-detector.ts';
import { stageOptions } from '../../../harness/stage-options.ts';
import { somebody } from '../../demo/pictures.ts';

const choices: readonly (readonly [string, DetrChoice])[] = [
  ['stretched', { activation: 'sigmoid', letterboxFill: null }],
  ['letterboxed', { activation: 'softmax', letterboxFill: 128 }],
];

describe.each(choices)('a detector of the DETR kind, %s', (_, choice) => {
  let pack: DetrPack;
  let plain: DetectionStage;
  let prepared: DetectionStage;

  beforeAll(async () => {
    pack = await writeDetrPack(choice);
    const { dir, stages } = await preparePack(pack.dir, join(pack.dir, 'prepared'));
    expect(stages[0]).toEqual({ stage: 'detection', file: 'prepared_detection.onnx', reason: '' });
    const options = stageOptions({ padTo: batchSizes(16) });
    plain = await openDetection(await loadPack(pack.dir), options);
    prepared = await openDetection(await loadPack(dir), options);
  });

  afterAll(async () => {
    await plain.release();
    await prepared.release();
    await rm(pack.dir, { recursive: true });
  });

  test('a prepared pack finds what the plain one finds, in batches of mixed sizes as alone', async () => {
    const anna = somebody({ id: 'anna', x: 480 });
    const two = pictureBeforeWall([anna, somebody({ id: 'ben', x: 1120, action: 'grabbing' })]);
    const one = pictureBeforeWall([anna]);
    const frames = [two, resizeBilinear(one, 801, 333), pictureBeforeWall([]), resizeBilinear(two, 320, 320)];
    const found = await prepared.run(frames);
    expect(found.map((detections) => detections.length)).toEqual([2, 1, 0, 2]);
    expect(found).toEqual(await plain.run(frames));
    for (const [i, frame] of frames.entries()) expect(await prepared.run([frame])).toEqual([found[i]]);
  });

  test('is refused without its two outputs', async () => {
    const model = await readOnnx(join(pack.dir, 'detr.onnx'));
    const { detection } = pack.manifest;
    const outputs = detection.model.outputs.filter(({ name }) => name === 'logits');
    expect(() => detrGraph(model, { ...detection, model: { ...detection.model, outputs } })).toThrow(
      'detr.onnx cannot be prepared: expected an output pred_boxes, found logits',
    );
  });
});
