import type { AgeGroup } from './video-analysis.ts';

/** Under 20 years young, under 60 middle, else old. */
export function ageGroupOf(age: number): AgeGroup {
  if (age < 20) return 'young';
  return age < 60 ? 'middle' : 'old';
}
