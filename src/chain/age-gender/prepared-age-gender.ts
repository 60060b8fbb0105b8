import { paddedCount } from '../../inference/batch.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import type { ComposedSpec } from '../../packs/pack-manifest.ts';
import { specOf } from '../../packs/spec-of.ts';
import { readAgeGender } from '../../vision/age-gender-row.ts';
import { letterboxSource } from '../../vision/crop-source.ts';
import type { PictureArea } from '../../vision/picture-area.ts';
import type { AgeGender } from '../model-chain.ts';
import { cropFeeds, cropSize, type Crop } from '../crop-feeds.ts';
import { partsOf, type AgeGenderItem } from './person-parts.ts';
import { readOutput } from '../read-output.ts';
import type { Stage, StageOptions } from '../stage.ts';

/**
 * The prepared graph of adapter `mivolo` (`src/graphs/prepare/age-gender-graph.ts`): windows of the frames and where to read
 * them in, logits and age out. The same readings as the plain stage, which decides as this one does what is a usable part.
 */
export async function openPreparedAgeGender(
  pack: Pack,
  spec: ComposedSpec,
  options: StageOptions,
): Promise<Stage<AgeGenderItem, AgeGender | null>> {
  const ageGender = specOf(pack.manifest, 'ageGender', 'mivolo');
  const size = cropSize(spec);
  const model = await openBatchModel(packGraph(pack, { field: 'prepared.ageGender', spec }), options.target);
  const feeds = cropFeeds(size, true);

  const run = async (items: readonly AgeGenderItem[]): Promise<readonly (AgeGender | null)[]> => {
    const results: (AgeGender | null)[] = items.map(() => null);
    const usable = items.flatMap((item, index) => {
      const { face, body } = partsOf(item, options.kernel);
      const parts = [face, body].map((area) => cropOf(area, size));
      return parts.every((part) => part === null) ? [] : [{ index, parts }];
    });
    if (usable.length === 0) return results;
    const rows = paddedCount(usable.length, options.padTo);
    const padding = Array.from({ length: (rows - usable.length) * 2 }, () => null);
    const crops = [...usable.flatMap(({ parts }) => parts), ...padding];
    const outputs = await model.run(rows, feeds(crops), options.meter);
    const { values } = readOutput(model, outputs, 'readings', [rows, 3]);
    usable.forEach(({ index }, i) => {
      results[index] = readAgeGender(values.subarray(i * 3, i * 3 + 3), ageGender);
    });
    return results;
  };
  return { run, releaseAbove: model.releaseAbove, release: model.release };
}

function cropOf(area: Required<PictureArea> | null, size: Parameters<typeof letterboxSource>[1]): Crop | null {
  return area === null ? null : { frame: area.frame, source: letterboxSource(area, size) };
}
