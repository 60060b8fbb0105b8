import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { Failure } from '../failure/failure.ts';
import { limitsFor, startLimited } from './child-process.ts';
import type { FfmpegTools } from './ffmpeg-binary.ts';
import { LastWords, LineSplitter } from './last-words.ts';
import type { VideoInfo } from './video-info.ts';
import { checkContainer, videoInfoOf, type ProbeReport, type VideoLimits } from './video-limits.ts';

export type { VideoLimits } from './video-limits.ts';

/**
 * Demuxers that read one file and nothing else. Playlists (hls, dash, concat), image sequences and
 * protocols are not here: those name other files or addresses.
 */
export const DEMUXERS = 'mov,mp4,matroska,webm,mpegts,mpeg,avi,flv,ogg';

const MAX_REPORT_BYTES = 4 * 1024 * 1024;

const report = z.object({
  streams: z
    .array(
      z.object({
        index: z.int(),
        codec_type: z.string().optional(),
        codec_name: z.string().optional(),
        width: z.int().optional(),
        height: z.int().optional(),
        avg_frame_rate: z.string().optional(),
        r_frame_rate: z.string().optional(),
        duration: z.string().optional(),
        nb_frames: z.string().optional(),
        disposition: z.record(z.string(), z.number()).optional(),
        tags: z.record(z.string(), z.string()).optional(),
        side_data_list: z.array(z.object({ rotation: z.number().optional() })).optional(),
      }),
    )
    .default([]),
  format: z.object({ format_name: z.string(), duration: z.string().optional() }).optional(),
});

/**
 * Reads what a file says of itself and checks it against the limits, before anything is decoded.
 * Every problem of the file is a permanent failure that carries ffprobe's own last words.
 */
export async function probeVideo(
  tools: FfmpegTools,
  file: string,
  limits: VideoLimits,
  signal: AbortSignal,
): Promise<VideoInfo> {
  const { size } = await stat(file);
  if (size === 0) throw new Failure('OBJECT_EMPTY', 'the file has no bytes');
  const words = new LastWords();
  const { text, code } = await runProbe(tools, file, { timeoutMs: limits.timeoutMs, words }, signal);
  const details = { lastWords: words.text, exitCode: code };
  checkContainer(words.text, code, details);
  const parsed = report.safeParse(parseJson(text));
  if (!parsed.success || parsed.data.format === undefined) {
    throw new Failure('NOT_A_VIDEO', 'ffprobe found no media in the file', { details });
  }
  const found: ProbeReport = { ...parsed.data, format: parsed.data.format };
  return videoInfoOf(found, limits, size, details);
}

async function runProbe(
  tools: FfmpegTools,
  file: string,
  run: { readonly timeoutMs: number; readonly words: LastWords },
  signal: AbortSignal,
): Promise<{ text: string; code: number | null }> {
  signal.throwIfAborted();
  const args = ['-hide_banner', '-v', 'level+error', '-protocol_whitelist', 'file', '-format_whitelist', DEMUXERS];
  args.push('-print_format', 'json', '-show_format', '-show_streams', '-i', `file:${basename(file)}`);
  const child = await startLimited(tools.ffprobe, args, dirname(file), limitsFor(run.timeoutMs, 1, undefined));
  // One controller for the deadline alone: an abort of the job is told apart from a slow file.
  const deadline = AbortSignal.timeout(run.timeoutMs);
  const either = AbortSignal.any([signal, deadline]);
  const end = (): void => void child.stop();
  either.addEventListener('abort', end, { once: true });
  const errors = new LineSplitter((line) => run.words.add(line));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => errors.push(chunk));
  let text = '';
  try {
    if (either.aborted) end();
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > MAX_REPORT_BYTES) throw new Failure('NOT_A_VIDEO', 'ffprobe reports too much about the file');
    }
    const exit = await child.exited;
    errors.end();
    return { text, code: exit.code };
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.aborted) throw error;
    throw new Failure('VIDEO_DECODE_TIMEOUT', `ffprobe did not end within ${run.timeoutMs} ms`, {
      cause: error,
      details: { timeoutMs: run.timeoutMs, lastWords: run.words.text },
    });
  } finally {
    either.removeEventListener('abort', end);
    await child.stop();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
