import { Failure } from '../../failure/failure.ts';
import type { Clock } from '../../time/clock.ts';
import type { FfmpegTools } from '../tools/ffmpeg-binary.ts';
import { endedByForce, endedWithoutReport, gaveUpWithoutReason, type ToolEnd } from '../tools/tool-end.ts';
import { probeReport, type ProbedFrame, type ProbeReport } from './probe-report.ts';
import { runFfprobe } from './run-ffprobe.ts';
import { checkContainer } from './video-limits.ts';

const MAX_REPORT_BYTES = 4 * 1024 * 1024;
/** Packets of any stream that are decoded for the first look: they show the picture of most files, and cost a few milliseconds. */
const FIRST_PACKETS = 8;
/** Packets of the recording that are decoded, one after the other, until a picture comes. */
const MORE_PACKETS = [256, 4096];

/** A file and how it is looked at. */
export interface Subject {
  readonly tools: FfmpegTools;
  readonly file: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** What a look at a file gave. */
export interface Look {
  readonly report: ProbeReport;
  readonly details: Readonly<Record<string, string | number | null>>;
}

/**
 * Streams, container and the first frames. Every problem of the file is a permanent failure that carries ffprobe's own last words; an end of
 * ffprobe that the file does not explain is none.
 */
export async function lookAtFile(subject: Subject, inputOptions: readonly string[]): Promise<Look> {
  const shown = ['-show_format', '-show_streams', '-show_frames', '-read_intervals', `%+#${FIRST_PACKETS}`];
  const { end, text, details } = await look(subject, [...inputOptions, ...shown]);
  const json = parseJson(text);
  checkContainer(end.words.text, end.exit.code, details);
  if (json === null) throw endedWithoutReport(end, details);
  const parsed = probeReport.safeParse(json);
  if (!parsed.success || parsed.data.format === undefined) {
    throw new Failure('NOT_A_VIDEO', 'ffprobe found no media in the file', { details });
  }
  return { report: { ...parsed.data, format: parsed.data.format }, details };
}

/** The first frame of a stream that can be decoded; null where the first minutes hold none. */
export async function firstFrameOf(
  subject: Subject,
  streamIndex: number,
  inputOptions: readonly string[],
): Promise<ProbedFrame | null> {
  for (const packets of MORE_PACKETS) {
    const shown = ['-show_frames', '-select_streams', String(streamIndex), '-read_intervals', `%+#${packets}`];
    const entries = ['-show_entries', 'frame=media_type,stream_index,width,height,sample_aspect_ratio:frame_side_data'];
    const { text } = await look(subject, [...inputOptions, ...shown, ...entries]);
    const parsed = probeReport.safeParse(parseJson(text));
    const found = parsed.data?.frames.find((frame) => frame.stream_index === streamIndex && (frame.width ?? 0) > 0);
    if (found !== undefined) return found;
  }
  return null;
}

async function look(
  { tools, file, timeoutMs, clock, signal }: Subject,
  shown: readonly string[],
): Promise<{ end: ToolEnd; text: string; details: Look['details'] }> {
  let text = '';
  const onText = (chunk: string): void => {
    text += chunk;
    if (text.length > MAX_REPORT_BYTES) throw new Failure('NOT_A_VIDEO', 'ffprobe reports too much about the file');
  };
  const args = ['-print_format', 'json', ...shown];
  const { exit, words } = await runFfprobe(tools, file, { args, timeoutMs, clock, onText }, signal);
  const details = { lastWords: words.text, exitCode: exit.code, exitSignal: exit.signal };
  const end: ToolEnd = { tool: 'ffprobe', exit, words };
  const otherReason = endedByForce(end, details) ?? gaveUpWithoutReason(end, details);
  if (otherReason !== null) throw otherReason;
  return { end, text, details };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
