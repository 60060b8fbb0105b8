import { expect } from '@jest/globals';
import { openFastVlm } from '../../harness/fast-vlm.ts';
import { stageMeter } from '../../../src/inference/stage-meter.ts';
import { wholeArea } from '../../../src/vision/picture-area.ts';
import { goldenVlm, loadStreet, readCrop, streetTest } from './street-pack.ts';

streetTest('the reference mode, greedy decoding, names the same actions as scoring and costs more runs', async () => {
  const pack = await loadStreet();
  const { crops } = goldenVlm();
  const pictures = await Promise.all(crops.map((crop) => readCrop(crop.png)));
  const runs: Record<string, number> = {};
  for (const mode of ['score', 'greedy'] as const) {
    const meter = stageMeter();
    const action = { ...pack.manifest.action, mode };
    const model = await openFastVlm(
      { ...pack, manifest: { ...pack.manifest, action } },
      { target: { device: 'cpu', threads: 1 }, padTo: [], action: meter, scene: stageMeter() },
    );
    const readings = await model.readActions(pictures.map(wholeArea));
    expect(readings.map(({ label }) => label)).toEqual(crops.map((crop) => crop.action));
    for (const { label, score, labelScores } of readings) {
      const best = labelScores[action.labels.indexOf(label)]!;
      const total = labelScores.reduce((sum, x) => sum + Math.exp(x), 0);
      expect(score).toBeCloseTo(Math.exp(best) / total, 6);
    }
    runs[mode] = meter.runs;
    await model.release();
  }
  expect(runs['greedy']).toBeGreaterThan(runs['score']!);
});
