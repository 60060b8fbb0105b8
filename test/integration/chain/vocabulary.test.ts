import { expect, test } from '@jest/globals';
import { openFastVlm, type FastVlm } from '../../harness/fast-vlm.ts';
import { loadPack } from '../../../src/packs/load-pack.ts';
import { wholeArea } from '../../../src/vision/picture-area.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';

async function openWith(labels: string[]): Promise<FastVlm> {
  const demo = await loadPack('models/demo');
  const pack = { ...demo, manifest: { ...demo.manifest, action: { ...demo.manifest.action, labels } } };
  const target = { device: 'cpu', threads: 1 } as const;
  return await openFastVlm(pack, { target, padTo: [], action: stageMeter(), scene: stageMeter() });
}

test('two labels that are one to the model are refused: their probability would be shared', async () => {
  await expect(openWith(['standing', 'caf\u00e9', 'cafe\u0301'])).rejects.toMatchObject({
    code: 'PACK_BROKEN',
    message: expect.stringMatching(
      /^tokenizer\.json: action\.labels: expected other tokens for "cafe\u0301" than for "caf\u00e9", found [\d, ]+ for both$/,
    ),
  });
});

test('labels of which one begins another are told apart', async () => {
  const model = await openWith(['walking', 'walking away']);
  const blank = { width: 8, height: 8, pixels: new Uint8Array(8 * 8 * 3) };
  const [reading] = await model.readActions([wholeArea(blank)]);
  expect(reading!.labelScores).toHaveLength(2);
  expect(reading!.labelScores[0]).toBeGreaterThan(reading!.labelScores[1]!);
  await model.release();
});
