import { describe, expect, jest, test } from '@jest/globals';
import { ageGroupOf } from '../../../src/analysis/age-group.ts';
import { aggregateAttributes, createAttributeCollector, cropQuality } from '../../../src/analysis/attributes.ts';
import type { AgeGender } from '../../../src/chain/model-chain.ts';

const reading = (age: number, gender: 'male' | 'female' = 'male', genderScore = 0.9): AgeGender => ({
  age,
  gender,
  genderScore,
});

describe('aggregation', () => {
  test('one wild age is pulled to within six years of the median', () => {
    expect(aggregateAttributes([30, 31, 32, 33, 90].map((age) => reading(age))).age).toBe(32.8);
  });

  test('two readings are a plain mean, none is nothing', () => {
    expect(aggregateAttributes([reading(20), reading(40)]).age).toBe(30);
    expect(aggregateAttributes([])).toEqual({ age: null, gender: null, genderScore: null });
  });

  test('one sure reading outweighs two doubtful ones', () => {
    const readings = [reading(30, 'female', 0.99), reading(30, 'male', 0.55), reading(30, 'male', 0.55)];
    expect(aggregateAttributes(readings)).toMatchObject({ gender: 'female', genderScore: 0.63 });
  });

  test('age groups begin at 20 and 60', () => {
    expect([19.99, 20, 59.99, 60].map(ageGroupOf)).toEqual(['young', 'middle', 'middle', 'old']);
  });
});

describe('choice of crops', () => {
  const crop = (quality: number, readable = true) => ({ quality, isReadable: () => readable });

  test('reads up to the limit, then only what is clearly better', () => {
    const collector = createAttributeCollector(2);
    const first = collector.reserve(crop(0.2));
    const second = collector.reserve(crop(0.3));
    expect(collector.reserve(crop(0.21))).toBeNull();
    const better = collector.reserve(crop(0.4));
    first?.fill(reading(10));
    second?.fill(reading(20));
    better?.fill(reading(30));
    expect(collector.readings().map(({ age }) => age)).toEqual([20, 30]);
  });

  test('a crop that cannot be read takes no place, and keeps no other one out', () => {
    const collector = createAttributeCollector(1);
    expect(collector.reserve(crop(0.9, false))).toBeNull();
    const first = collector.reserve(crop(0.2));
    expect(collector.reserve(crop(0.9, false))).toBeNull();
    const better = collector.reserve(crop(0.3));
    first?.fill(reading(10));
    better?.fill(reading(40));
    expect(collector.readings().map(({ age }) => age)).toEqual([40]);
  });

  test('only a crop that would be read is looked at for whether it can be', () => {
    const collector = createAttributeCollector(1);
    const isReadable = jest.fn(() => true);
    for (const quality of [0, 0.5, 0.5, 0.4, 0.6]) collector.reserve({ quality, isReadable });
    expect(isReadable).toHaveBeenCalledTimes(2);
  });

  test('someone who walks up to the camera for an hour is read a bounded number of times', () => {
    const collector = createAttributeCollector(6);
    const reads = Array.from({ length: 5400 }, (_, i) => collector.reserve(crop(0.1 + (0.9 * i) / 5400))).filter(
      Boolean,
    );
    expect(reads.length).toBeLessThan(110);
  });

  test('large, sure and uncovered crops are better', () => {
    const picture = { width: 1000, height: 1000 };
    const box = { x1: 0, y1: 0, x2: 200, y2: 500 };
    const alone = cropQuality(box, 0.9, [], picture);
    expect(alone).toBeCloseTo(0.2846, 4);
    expect(cropQuality(box, 0.45, [], picture)).toBeCloseTo(alone / 2, 6);
    expect(cropQuality(box, 0.9, [{ x1: 100, y1: 0, x2: 300, y2: 500 }], picture)).toBeCloseTo(alone / 2, 6);
    expect(cropQuality({ x1: 5, y1: 5, x2: 5, y2: 9 }, 0.9, [], picture)).toBe(0);
  });
});
