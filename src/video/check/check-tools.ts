import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../failure/failure.ts';
import { CLIP, CLIP_COLOURS, CLIP_SIDE } from './check-clip.ts';
import { decodeFrames, type DecodeOptions } from '../decode/decode.ts';
import type { FfmpegTools } from '../tools/ffmpeg-binary.ts';
import type { Frame } from '../frame.ts';
import { createFramePool } from '../frames/frame-pool.ts';
import { probeVideo, type VideoLimits } from '../probe/probe.ts';
import { suspicionIn } from '../tools/tool-end.ts';

/** How long a caller should let the check take; within it the tools say nothing about a machine that is merely busy. */
export const CHECK_LIMIT_MS = 30_000;

/** The limits of videos do not matter here, and those of time are the caller's: none of them may be reached before its own. */
const LIMITS: VideoLimits = {
  maxDurationSeconds: 60,
  maxPixels: 1_000_000,
  maxFrameRate: 60,
  maxFrames: 100,
  maxStreams: 8,
  timeoutMs: CHECK_LIMIT_MS * 4,
};
const DECODING: Omit<DecodeOptions, 'pool' | 'threads'> = {
  framesPerSecond: 1,
  stallTimeoutMs: CHECK_LIMIT_MS * 4,
  wallTimeoutMs: CHECK_LIMIT_MS * 4,
  maxFrames: 100,
  maxDurationSeconds: 60,
};
/** Builds of ffmpeg round differently on the way to RGB. */
const COLOUR_TOLERANCE = 24;

/**
 * Probes and decodes a built-in clip in the folder, the way in which videos are, and sees that its frames come out right. Rejects with
 * TOOL_BROKEN where they do not, with the failure of the host where that is what keeps the tools from it, and with the reason of the
 * signal when that fires: a check that was cut off says nothing. It decodes with as many threads as videos are given: a host that has fewer
 * shows that here, too.
 */
export async function checkTools(
  tools: FfmpegTools,
  folder: string,
  threads: number,
  signal: AbortSignal,
): Promise<void> {
  const file = join(folder, 'check');
  await writeFile(file, CLIP, { mode: 0o600 });
  try {
    const info = await probeVideo(tools, file, LIMITS, signal);
    const options = { ...DECODING, threads, pool: createFramePool() };
    const verdicts: boolean[] = [];
    for await (const frame of decodeFrames(tools, file, info, options, signal)) {
      verdicts.push(isRight(frame));
      frame.release();
    }
    if (verdicts.length === CLIP_COLOURS.length && verdicts.every(Boolean)) return;
  } catch (error) {
    signal.throwIfAborted();
    throw asOfTools(error, tools);
  }
  throw new Failure('TOOL_BROKEN', `${tools.ffmpeg} makes other frames of the built-in clip; ${ADVICE}`);
}

const ADVICE = 'install ffmpeg again, or set FFMPEG_PATH and FFPROBE_PATH to one that works';

/** The clip is good: what speaks against it, or against nothing at all, speaks against the tools. */
function asOfTools(error: unknown, tools: FfmpegTools): unknown {
  if (!(error instanceof Failure) || error.class === 'system') return error;
  const { message: said, details } = error;
  const suspicion = suspicionIn(error);
  if (suspicion !== null) return new Failure(suspicion, said, { cause: error, details });
  const message = `${tools.ffprobe} or ${tools.ffmpeg} fails on the built-in clip: ${said}; ${ADVICE}`;
  return new Failure('TOOL_BROKEN', message, { cause: error, details });
}

function isRight({ sample, width, height, pixels }: Frame): boolean {
  const colour = CLIP_COLOURS[sample];
  if (colour === undefined || width !== CLIP_SIDE || height !== CLIP_SIDE) return false;
  return pixels.every((value, index) => Math.abs(value - (colour[index % 3] ?? 0)) <= COLOUR_TOLERANCE);
}
