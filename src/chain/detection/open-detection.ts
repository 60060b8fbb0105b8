import type { Pack } from '../../packs/load-pack.ts';
import type { ComposedSpec, PackManifest } from '../../packs/pack-manifest.ts';
import type { Picture } from '../../vision/picture.ts';
import type { AgeGender, Detection, Orientation } from '../model-chain.ts';
import { openDetr } from './detr.ts';
import { openMebow, type OrientationItem } from '../orientation/mebow.ts';
import { openMivolo, type AgeGenderItem } from '../age-gender/mivolo.ts';
import { openPreparedAgeGender } from '../age-gender/prepared-age-gender.ts';
import { openPreparedDetr } from './prepared-detr.ts';
import { openPreparedOrientation } from '../orientation/prepared-orientation.ts';
import { openPreparedYolov8 } from './prepared-yolov8.ts';
import type { Stage, StageOptions } from '../stage.ts';
import { openYolov8 } from './yolov8.ts';

type Open<Item, Result> = (pack: Pack, options: StageOptions) => Promise<Stage<Item, Result>>;
type OpenPrepared<Item, Result> = (
  pack: Pack,
  spec: ComposedSpec,
  options: StageOptions,
) => Promise<Stage<Item, Result>>;
type Adapter<Name extends 'detection' | 'ageGender' | 'orientation'> = PackManifest[Name]['adapter'];

// A further model of a stage is an entry here, its fields in the manifest and its file beside this one.
const DETECTION: Readonly<Record<Adapter<'detection'>, Open<Picture, readonly Detection[]>>> = {
  yolov8: openYolov8,
  detr: openDetr,
};
const PREPARED_DETECTION: Readonly<Record<Adapter<'detection'>, OpenPrepared<Picture, readonly Detection[]>>> = {
  yolov8: openPreparedYolov8,
  detr: openPreparedDetr,
};
const AGE_GENDER: Readonly<Record<Adapter<'ageGender'>, Open<AgeGenderItem, AgeGender | null>>> = {
  mivolo: openMivolo,
};
const ORIENTATION: Readonly<Record<Adapter<'orientation'>, Open<OrientationItem, Orientation>>> = {
  mebow: openMebow,
};

/** Opens the pack's detector: the prepared graph where there is one, else by the adapter that the manifest names. */
export const openDetection: Open<Picture, readonly Detection[]> = (pack, options) => {
  const { detection, prepared } = pack.manifest;
  return prepared?.detection === undefined
    ? DETECTION[detection.adapter](pack, options)
    : PREPARED_DETECTION[detection.adapter](pack, prepared.detection, options);
};

/** Opens the pack's age and gender model: the prepared graph where there is one, else by the adapter. */
export const openAgeGender: Open<AgeGenderItem, AgeGender | null> = (pack, options) => {
  const prepared = pack.manifest.prepared?.ageGender;
  return prepared === undefined
    ? AGE_GENDER[pack.manifest.ageGender.adapter](pack, options)
    : openPreparedAgeGender(pack, prepared, options);
};

/** Opens the pack's orientation model: the prepared graph where there is one, else by the adapter. */
export const openOrientation: Open<OrientationItem, Orientation> = (pack, options) => {
  const prepared = pack.manifest.prepared?.orientation;
  return prepared === undefined
    ? ORIENTATION[pack.manifest.orientation.adapter](pack, options)
    : openPreparedOrientation(pack, prepared, options);
};
