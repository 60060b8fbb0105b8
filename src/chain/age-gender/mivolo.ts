import { Failure } from '../../failure/failure.ts';
import { paddedCount } from '../../inference/batch.ts';
import { floatScratch } from '../../inference/float-scratch.ts';
import type { Pack } from '../../packs/load-pack.ts';
import { packGraph } from '../../packs/pack-graph.ts';
import { openBatchModel } from '../../inference/batch-model.ts';
import { floatTensor } from '../../inference/tensor.ts';
import { readAgeGender, writeAgeGenderRow } from '../../vision/age-gender-row.ts';
import { bodyCrop, faceCrop } from '../../vision/body-crop.ts';
import type { Picture } from '../../vision/picture.ts';
import type { AgeGender, Detection, FaceBodyPair } from '../model-chain.ts';
import { readOutput } from '../read-output.ts';
import type { Stage, StageOptions } from '../stage.ts';

export interface AgeGenderItem {
  readonly frame: Picture;
  /** All of the frame: the others are blanked in a body's crop. */
  readonly detections: readonly Detection[];
  readonly pair: FaceBodyPair;
}

/**
 * Adapter `mivolo`: cut face and body, blank other people out of the body, letterbox both to the input's size, run, and read
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
  const rowSize = 6 * height * width;
  const scratch = floatScratch();

  const run = async (items: readonly AgeGenderItem[]): Promise<readonly (AgeGender | null)[]> => {
    const results: (AgeGender | null)[] = items.map(() => null);
    const usable = items.flatMap((item, index) => {
      const { face, body } = cut(item);
      return face === null && body === null ? [] : [{ index, face, body }];
    });
    if (usable.length === 0) return results;
    const rows = paddedCount(usable.length, options.padTo);
    const pixels = scratch(rows * rowSize);
    usable.forEach(({ face, body }, i) => {
      writeAgeGenderRow(face, body, pixels, i * rowSize, { size: height, mean: ageGender.mean, std: ageGender.std });
    });
    const tensor = floatTensor(model.inputType(input.name), pixels, [rows, 6, height, width]);
    const outputs = await model.run(rows, { [input.name]: tensor }, options.meter);
    const { values } = readOutput(model, outputs, out.name, [rows, 3]);
    usable.forEach(({ index }, i) => {
      results[index] = readAgeGender(values.subarray(i * 3, i * 3 + 3), ageGender);
    });
    return results;
  };
  return { run, release: model.release };
}

function cut(item: AgeGenderItem): { readonly face: Picture | null; readonly body: Picture | null } {
  const { frame, detections, pair } = item;
  const face = pair.face === null ? undefined : detections[pair.face];
  return {
    face: face === undefined ? null : faceCrop(frame, face.box),
    body: pair.person === null ? null : bodyCrop(frame, detections, pair.person),
  };
}
