import { openBatchModel } from '../../inference/batch-model.ts';
import { paddedCount } from '../../inference/batch.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import type { ComposedSpec } from '../../packs/pack-manifest.ts';
import { canvasFeeds } from '../fastvlm/picture-canvas.ts';
import { warmSizes, type Reading } from '../language-stage.ts';
import type { ActionReading } from '../model-chain.ts';
import { readOutput } from '../read-output.ts';
import type { StageOptions } from '../stage.ts';
import { actionReading } from './action-reading.ts';

/**
 * The prepared graph of the whole question (`src/graphs/prepare/action-graph.ts`): pictures of persons in, the scores of the labels out,
 * in one run. The same readings as step by step, by one model: no other one of the pack is opened.
 */
export async function openPreparedActions(
  pack: Pack,
  spec: ComposedSpec,
  { target, kernel, padTo, meter }: Omit<StageOptions, 'limit'>,
): Promise<Reading<ActionReading>> {
  const { labels } = pack.manifest.action;
  const model = await openBatchModel(packGraph(pack, { field: 'prepared.action', spec }), target);
  const feeds = canvasFeeds(kernel, pack.manifest.language.imageSize);
  const read: Reading<ActionReading>['read'] = async (crops) => {
    const rows = paddedCount(crops.length, padTo);
    const outputs = await model.run(rows, feeds(crops, rows), meter);
    const { values } = readOutput(model, outputs, 'scores', [rows, labels.length]);
    return crops.map((_, i) => actionReading(labels, [...values.subarray(i * labels.length, (i + 1) * labels.length)]));
  };
  return {
    read,
    warm: (before) => warmSizes(read, padTo, before),
    releaseAbove: model.releaseAbove,
    release: model.release,
  };
}
