import { Failure } from '../../failure/failure.ts';
import { paddedCount } from '../../inference/batch.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import { floatTensor } from '../../inference/tensor.ts';
import { readAgeGender } from '../../vision/age-gender-row.ts';
import type { PictureArea } from '../../vision/picture-area.ts';
import type { AgeGender } from '../model-chain.ts';
import { partsOf, type AgeGenderItem } from './person-parts.ts';
import { readOutput } from '../read-output.ts';
import type { Stage, StageOptions } from '../stage.ts';

/**
 * Adapter `mivolo`: take face and body, other people blanked out of the body, letterbox both to the input's size, run, and read
 * gender and age. Null where neither part is usable.
 */
export async function openMivolo(pack: Pack, options: StageOptions): Promise<Stage<AgeGenderItem, AgeGender | null>> {
  const { ageGender } = pack.manifest;
  const model = await openBatchModel(
    packGraph(pack, { field: 'ageGender.model', spec: ageGender.model }),
    options.target,
  );
  const [input] = ageGender.model.inputs;
  const [out] = ageGender.model.outputs;
  const [, channels, height, width] = input?.shape ?? [];
  if (input === undefined || out === undefined || channels !== 6 || typeof height !== 'number' || height !== width) {
    throw new Failure(
      'PACK_BROKEN',
      `${ageGender.model.file.path}: the input must be [batch, 6, size, size] with a fixed size`,
    );
  }
  const { kernel } = options;
  // Two pictures a row: face, then body.
  const planes = kernel.planes({ width, height }, { mean: ageGender.mean, std: ageGender.std });
  planes.reserve(2 * options.limit);
  const write = (place: number, part: PictureArea | null): void => {
    if (part === null) planes.black(place);
    else planes.letterbox(place, part, 0);
  };

  const run = async (items: readonly AgeGenderItem[]): Promise<readonly (AgeGender | null)[]> => {
    const results: (AgeGender | null)[] = items.map(() => null);
    const usable = items.flatMap((item, index) => {
      const { face, body } = partsOf(item, kernel);
      return face === null && body === null ? [] : [{ index, face, body }];
    });
    if (usable.length === 0) return results;
    const rows = paddedCount(usable.length, options.padTo);
    planes.reserve(2 * rows);
    usable.forEach(({ face, body }, i) => {
      write(2 * i, face);
      write(2 * i + 1, body);
    });
    const tensor = floatTensor(model.inputType(input.name), planes.view(2 * rows), [rows, 6, height, width]);
    const outputs = await model.run(rows, { [input.name]: tensor }, options.meter);
    const { values } = readOutput(model, outputs, out.name, [rows, 3]);
    usable.forEach(({ index }, i) => {
      results[index] = readAgeGender(values.subarray(i * 3, i * 3 + 3), ageGender);
    });
    return results;
  };
  return { run, releaseAbove: model.releaseAbove, release: model.release };
}
