import { z } from 'zod';
import { Failure } from '../failure/failure.ts';

const box = z.tuple([z.number(), z.number(), z.number(), z.number()]);

/** Of a person: the mean of larger numbers would be none. */
const years = z.number().min(0).max(150);

// Fields that only drawing needs may be there too.
const truth = z.object({
  format: z.literal(1),
  video: z.object({ width: z.number().positive(), height: z.number().positive() }),
  persons: z.array(z.object({ id: z.string(), age: years, gender: z.enum(['male', 'female']) })),
  events: z.array(
    z.object({ person: z.string(), action: z.string(), beginSeconds: z.number(), endSeconds: z.number() }),
  ),
  /** Frames of the file, not only the sampled ones. */
  frames: z.array(
    z.object({
      index: z.int().nonnegative(),
      seconds: z.number(),
      persons: z.array(
        z.object({
          id: z.string(),
          /** The whole body; may reach outside the picture. */
          box,
          /** Share of the body that can be seen. */
          visible: z.number(),
          /** Null while the face is turned away, and where nothing is known of it. */
          face: box.nullable().default(null),
          /** Share of the face that can be seen. */
          faceVisible: z.number().default(0),
          /** Degrees: 0 back to the camera, 90 image-left, 180 towards the camera, 270 image-right. */
          orientation: z.number(),
          action: z.string(),
        }),
      ),
    }),
  ),
});

/** A box in pixels of the picture: x1, y1, x2, y2. */
export type TruthBox = z.output<typeof box>;
/** What is really in a video, as it is written beside the demo video. */
export type Truth = z.output<typeof truth>;
export type TruthFrame = Truth['frames'][number];
export type TruthPerson = TruthFrame['persons'][number];

/** Reads a truth file's text (JSON). Throws `Failure('CONFIG_INVALID')` with the file and the wrong fields. */
export function parseTruth(text: string, file: string): Truth {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure('CONFIG_INVALID', `truth file ${file} is not JSON`, { cause: error });
  }
  const parsed = truth.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`);
  throw new Failure('CONFIG_INVALID', `truth file ${file} is not valid: ${problems.join('; ')}`);
}
