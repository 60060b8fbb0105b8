import { z } from 'zod';
import { Failure } from '../failure/failure.ts';
import { ANALYSIS_FORMAT_VERSION, type VideoAnalysis } from '../analysis/video-analysis.ts';

const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);

// What the comparison with the truth reads; the rest of the analysis is taken as it is.
const analysis = z.looseObject({
  version: z.literal(ANALYSIS_FORMAT_VERSION),
  video: z.looseObject({ width: z.number().positive(), height: z.number().positive() }),
  pack: z.looseObject({ name: z.string() }),
  sampling: z.looseObject({ framesPerSecond: z.number().positive() }),
  frames: z.array(
    z.looseObject({
      index: z.int().nonnegative(),
      detections: z.array(
        z.looseObject({
          track: z.int().nullable(),
          class: z.enum(['person', 'face']),
          box,
          score: z.number(),
          orientation: z.number().nullable(),
          action: z.string().nullable(),
        }),
      ),
    }),
  ),
  tracks: z.array(
    z.looseObject({ id: z.int(), age: z.number().nullable(), gender: z.enum(['male', 'female']).nullable() }),
  ),
  events: z.array(
    z.looseObject({ type: z.string(), track: z.int(), startSeconds: z.number(), durationSeconds: z.number() }),
  ),
});

/** Reads an analysis that `video-worker analyze --json` wrote. Throws `Failure('CONFIG_INVALID')` with the wrong fields. */
export function parseAnalysisFile(text: string, file: string): VideoAnalysis {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `analysis file ${file} is not JSON`, { cause: error });
  }
  const parsed = analysis.safeParse(value);
  // The fields that are not checked above are not looked at either.
  if (parsed.success) return parsed.data as unknown as VideoAnalysis;
  const problems = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`);
  throw new Failure('CONFIG_INVALID', `analysis file ${file} is not valid: ${problems.join('; ')}`);
}
