import { z } from 'zod';

const sideData = z.array(z.object({ displaymatrix: z.string().optional() })).optional();

const stream = z.object({
  index: z.int(),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  pix_fmt: z.string().optional(),
  width: z.int().optional(),
  height: z.int().optional(),
  sample_aspect_ratio: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  r_frame_rate: z.string().optional(),
  start_time: z.string().optional(),
  duration: z.string().optional(),
  nb_frames: z.string().optional(),
  disposition: z.record(z.string(), z.number()).optional(),
  tags: z.record(z.string(), z.string()).optional(),
  side_data_list: sideData,
});

const frame = z.object({
  media_type: z.string().optional(),
  stream_index: z.int().optional(),
  width: z.int().optional(),
  height: z.int().optional(),
  sample_aspect_ratio: z.string().optional(),
  side_data_list: sideData,
});

/** What ffprobe prints of a file: its streams of pictures, its container, and the frames of its first packets. */
export const probeReport = z.object({
  streams: z.array(stream).default([]),
  frames: z.array(frame).default([]),
  format: z
    .object({
      format_name: z.string(),
      nb_streams: z.int(),
      nb_programs: z.int().optional(),
      start_time: z.string().optional(),
      duration: z.string().optional(),
    })
    .optional(),
});

export type ProbedStream = z.infer<typeof stream>;
export type ProbedFrame = z.infer<typeof frame>;
export type ProbeReport = z.infer<typeof probeReport> & {
  readonly format: NonNullable<z.infer<typeof probeReport>['format']>;
};

/** A text as a number; null where it is none. */
export function numberOf(text: string | undefined): number | null {
  const number = Number(text ?? Number.NaN);
  return Number.isFinite(number) ? number : null;
}

/** The value of `25/1` or `16:9`; null where it is none, or nothing is divided by. */
export function ratioOf(text: string | undefined): number | null {
  const match = /^(\d+)[/:](\d+)$/.exec(text ?? '');
  if (match === null || Number(match[2]) === 0) return null;
  return Number(match[1]) / Number(match[2]);
}

/** The number where it is above zero, else null. */
export function positive(number: number | null): number | null {
  return number !== null && number > 0 ? number : null;
}
