import type { Box } from '../vision/box.ts';
import { roundTo } from './box-geometry.ts';
import { boxArea, intersectionArea } from '../vision/iou.ts';
import type { AgeGender, Gender } from '../chain/model-chain.ts';

/** Age (years) and gender of one person over all readings; null where nothing was readable. */
export interface PersonAttributes {
  readonly age: number | null;
  readonly gender: Gender | null;
  readonly genderScore: number | null;
}

/** A crop's promise: detector score times size times the share that nobody else covers; 0..1. */
export function cropQuality(
  box: Box,
  score: number,
  others: readonly Box[],
  picture: { readonly width: number; readonly height: number },
): number {
  const area = boxArea(box);
  if (area === 0) return 0;
  const covered = others.reduce((most, other) => Math.max(most, intersectionArea(box, other) / area), 0);
  // The root keeps a person close to the camera from outweighing everything else.
  return score * Math.sqrt(area / (picture.width * picture.height)) * (1 - covered);
}

interface Kept {
  readonly quality: number;
  reading: AgeGender | null;
}

/** A reserved reading: the answer is put in when the model has given it. */
export interface ReadingSlot {
  fill(reading: AgeGender | null): void;
}

/** What is known of a crop before it is read. */
interface Promised {
  readonly quality: number;
  /** Asked only of a crop that would be read: pixels may have to be looked at. */
  readonly isReadable: () => boolean;
}

const REPLACE_FACTOR = 1.15;
const WINSOR_YEARS = 6;

/**
 * Decides online which crops of one person are read, since frames are not kept: the first `limit` ones, then only one
 * that is clearly better than the worst kept. The growth factor bounds the readings of someone who walks up to the camera.
 */
export function createAttributeCollector(limit: number): {
  /**
   * A slot when this crop is to be read, else null. Called in frame order, before the answers of earlier crops are in: which crops are
   * read must not depend on them, or it would depend on how many frames are under way.
   */
  reserve(crop: Promised): ReadingSlot | null;
  readings(): readonly AgeGender[];
} {
  const kept: Kept[] = [];
  return {
    reserve({ quality, isReadable }) {
      if (quality <= 0 || limit <= 0) return null;
      const worst = kept.length < limit ? null : kept.reduce((a, b) => (b.quality < a.quality ? b : a));
      if (worst !== null && quality < worst.quality * REPLACE_FACTOR) return null;
      // A crop that cannot be read must not keep a readable one out.
      if (!isReadable()) return null;
      if (worst !== null) kept.splice(kept.indexOf(worst), 1);
      const entry: Kept = { quality, reading: null };
      kept.push(entry);
      return {
        fill(reading) {
          entry.reading = reading;
        },
      };
    },
    readings: () => kept.flatMap(({ reading }) => reading ?? []),
  };
}

/**
 * One age and gender from several readings. Age: mean after clipping to the median +/- 6 years (MiVOLO's aggregation of
 * tracked videos, used here from three readings on instead of ten, because few and good crops are read). Gender: the
 * one with the greater mean probability, which is the mode weighted by how sure each reading was.
 */
export function aggregateAttributes(readings: readonly AgeGender[]): PersonAttributes {
  if (readings.length === 0) return { age: null, gender: null, genderScore: null };
  const male = mean(readings.map(({ gender, genderScore }) => (gender === 'male' ? genderScore : 1 - genderScore)));
  return {
    age: roundTo(winsorisedMean(readings.map(({ age }) => age)), 2),
    gender: male >= 0.5 ? 'male' : 'female',
    genderScore: roundTo(Math.max(male, 1 - male), 4),
  };
}

function winsorisedMean(values: readonly number[]): number {
  if (values.length < 3) return mean(values);
  const middle = median(values);
  return mean(values.map((value) => Math.min(middle + WINSOR_YEARS, Math.max(middle - WINSOR_YEARS, value))));
}

function median(values: readonly number[]): number {
  const ordered = [...values].sort((a, b) => a - b);
  const half = ordered.length / 2;
  return ordered.length % 2 === 1
    ? (ordered[Math.floor(half)] ?? 0)
    : ((ordered[half - 1] ?? 0) + (ordered[half] ?? 0)) / 2;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
