import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../failure/failure.ts';
import { systemClock, type Clock } from '../../time/clock.ts';
import { limitsFor, startLimited, type ChildExit } from '../tools/child-process.ts';
import type { FfmpegTools } from '../tools/ffmpeg-binary.ts';
import { LastWords, LineSplitter } from '../tools/last-words.ts';
import { endedByForce, endedWithoutReport, gaveUpWithoutReason, type ToolEnd } from '../tools/tool-end.ts';
import type { ProbedVideo } from '../probed-video.ts';
import { checkContainer, videoInfoOf, type ProbeReport, type VideoLimits } from './video-limits.ts';
import { tookTooLong, WatchedWait } from '../tools/watched-wait.ts';

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
 * Every problem of the file is a permanent failure that carries ffprobe's own last words; an end of ffprobe that the file does not
 * explain is none.
 */
export async function probeVideo(
  tools: FfmpegTools,
  file: string,
  limits: VideoLimits,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<ProbedVideo> {
  const size = await sizeOf(file);
  if (size === 0) throw new Failure('OBJECT_EMPTY', 'the file has no bytes');
  const words = new LastWords();
  const { text, exit } = await runProbe(tools, file, { timeoutMs: limits.timeoutMs, words, clock }, signal);
  const details = { lastWords: words.text, exitCode: exit.code, exitSignal: exit.signal };
  const end: ToolEnd = { tool: 'ffprobe', exit, words };
  const otherReason = endedByForce(end, details) ?? gaveUpWithoutReason(end, details);
  if (otherReason !== null) throw otherReason;
  checkContainer(words.text, exit.code, details);
  const json = parseJson(text);
  if (json === null) throw endedWithoutReport(end, details);
  const parsed = report.safeParse(json);
  if (!parsed.success || parsed.data.format === undefined) {
    throw new Failure('NOT_A_VIDEO', 'ffprobe found no media in the file', { details });
  }
  const found: ProbeReport = { ...parsed.data, format: parsed.data.format };
  return videoInfoOf(found, limits, size, details);
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new Failure('DECODER_INTERRUPTED', 'the file vanished before it was read; keep cleaners away from WORK_DIR', {
      cause: error,
    });
  }
}

interface ProbeRun {
  readonly timeoutMs: number;
  readonly words: LastWords;
  readonly clock: Clock;
}

async function runProbe(
  tools: FfmpegTools,
  file: string,
  run: ProbeRun,
  signal: AbortSignal,
): Promise<{ text: string; exit: ChildExit }> {
  signal.throwIfAborted();
  const args = ['-hide_banner', '-v', 'level+error', '-protocol_whitelist', 'file', '-format_whitelist', DEMUXERS];
  args.push('-print_format', 'json', '-show_format', '-show_streams', '-i', `file:${basename(file)}`);
  const child = await startLimited(tools.ffprobe, args, dirname(file), limitsFor(run.timeoutMs, 1, undefined));
  let late: Promise<Failure> | null = null;
  const end = (): void => void child.stop();
  const wait = new WatchedWait(child, run.timeoutMs, run.clock, () => {
    // Read before it is ended: afterwards nobody knows what it did.
    late = lateness(wait, run).finally(end);
  });
  signal.addEventListener('abort', end, { once: true });
  const errors = new LineSplitter((line) => run.words.add(line));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => errors.push(chunk));
  let text = '';
  try {
    if (signal.aborted) end();
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > MAX_REPORT_BYTES) throw new Failure('NOT_A_VIDEO', 'ffprobe reports too much about the file');
    }
    const exit = await child.exited;
    errors.end();
    signal.throwIfAborted();
    if (late !== null) throw await (late as Promise<Failure>);
    return { text, exit };
  } catch (error) {
    signal.throwIfAborted();
    throw late === null ? error : await (late as Promise<Failure>);
  } finally {
    wait.cancel();
    signal.removeEventListener('abort', end);
    await child.stop();
  }
}

async function lateness(wait: WatchedWait, { timeoutMs, words }: ProbeRun): Promise<Failure> {
  return tookTooLong(`ffprobe did not end within ${timeoutMs} ms`, await wait.verdict(), {
    details: { timeoutMs, lastWords: words.text },
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
