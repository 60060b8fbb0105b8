import { CLOCK_FILES } from './clock-files.ts';
import { CODEC_FILES } from './codec-files.ts';
import { DURATION_FILES } from './duration-files.ts';
import { GEOMETRY_FILES } from './geometry-files.ts';
import { JOINED_FILES } from './joined-files.ts';
import { PROBER_FILES } from './prober-files.ts';
import type { FootageFile } from './right-values.ts';
import { STREAM_FILES } from './stream-files.ts';
import { TRUNCATION_FILES } from './truncation-files.ts';

/** Odd recordings, by what is odd about them. */
export const FOOTAGE_FILES = {
  geometry: [...GEOMETRY_FILES, ...CODEC_FILES],
  clock: [...CLOCK_FILES, ...JOINED_FILES],
  duration: DURATION_FILES,
  truncation: TRUNCATION_FILES,
  streams: STREAM_FILES,
  prober: PROBER_FILES,
} as const satisfies Readonly<Record<string, readonly FootageFile[]>>;
