import { paddedCount } from '../../inference/batch.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import type { ComposedSpec } from '../../packs/pack-manifest.ts';
import { specOf } from '../../packs/spec-of.ts';
import { orientationSource, stretchedSource } from '../../vision/crop-source.ts';
import { pixelWindow } from '../../vision/crop.ts';
import type { OrientationWindow } from '../../vision/warp-affine.ts';
import type { Orientation } from '../model-chain.ts';
import { cropFeeds, cropSize, type Crop } from '../crop-feeds.ts';
import type { OrientationItem } from './mebow.ts';
import { readOutput } from '../read-output.ts';
import type { Stage, StageOptions } from '../stage.ts';

/**
 * The prepared graph of adapter `mebow` (`src/graphs/prepare/orientation-graph.ts`): windows of the frames and where to read
 * them in, the most probable bin and its probability out. The same readings as the plain stage.
 */
export async function openPreparedOrientation(
  pack: Pack,
  spec: ComposedSpec,
  options: StageOptions,
): Promise<Stage<OrientationItem, Orientation>> {
  const orientation = specOf(pack.manifest, 'orientation', 'mebow');
  const { bins, scale } = orientation;
  const size = cropSize(spec);
  const model = await openBatchModel(packGraph(pack, { field: 'prepared.orientation', spec }), options.target);
  const feeds = cropFeeds(size, false);
  const cut = orientation.crop === 'affine' ? affineCrop : stretchedCrop;

  const run = async (items: readonly OrientationItem[]): Promise<readonly Orientation[]> => {
    const rows = paddedCount(items.length, options.padTo);
    const crops = items.map((item) => cut(item, { ...size, scale }));
    const inputs = feeds([...crops, ...Array.from({ length: rows - items.length }, () => null)]);
    const { values } = readOutput(model, await model.run(rows, inputs, options.meter), 'readings', [rows, 2]);
    return items.map((_, i) => ({ degrees: (values[i * 2] ?? 0) * (360 / bins), score: values[i * 2 + 1] ?? 0 }));
  };
  return { run, releaseAbove: model.releaseAbove, release: model.release };
}

function affineCrop({ frame, box }: OrientationItem, target: OrientationWindow): Crop | null {
  const source = orientationSource(frame, box, target);
  return source === null ? null : { frame, source };
}

function stretchedCrop({ frame, box }: OrientationItem, target: OrientationWindow): Crop | null {
  const window = pixelWindow(frame, box);
  return window === null ? null : { frame, source: stretchedSource(window, target) };
}
