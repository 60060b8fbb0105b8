import type { AgeGender } from '../model-chain.ts';
import { byAdapter, type Open } from '../open-adapter.ts';
import { openMivolo } from './mivolo.ts';
import type { AgeGenderItem } from './person-parts.ts';
import { openPreparedAgeGender } from './prepared-age-gender.ts';

/** Opens the pack's age and gender model. */
export const openAgeGender: Open<AgeGenderItem, AgeGender | null> = byAdapter('ageGender', {
  mivolo: { plain: openMivolo, prepared: openPreparedAgeGender },
});
