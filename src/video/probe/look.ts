import type { FailureCode } from '../../failure/codes.ts';
import { Failure } from '../../failure/failure.ts';
import type { Clock } from '../../time/clock.ts';
import type { FfmpegTools } from '../tools/ffmpeg-binary.ts';
import { endedByForce, endedWithoutReport, gaveUpWithoutReason, type ToolEnd } from '../tools/tool-end.ts';
import { probeReport, type ProbedFrame, type ProbeReport } from './probe-report.ts';
import { runFfprobe } from './run-ffprobe.ts';
import { checkContainer } from './video-limits.ts';

const MAX_REPORT_BYTES = 4 * 1024 * 1024;
/**
 * Packets of any stream that are decoded for the first look: they show the picture of most files, and cost a few milliseconds. Not more:
 * ffprobe crashes at the end of its frames where it has come upon a stream that it did not know at first.
 */
const FIRST_PACKETS = 8;
/** Of a frame: its size as it is stored, the shape of its pixels, and how it is turned. */
const FRAME_ENTRIES = 'frame=stream_index,width,height,sample_aspect_ratio:frame_side_data=displaymatrix';
/** No more than is read of it: a good file may have any number of tags and messages. */
const FILE_ENTRIES = [
  'format=format_name,nb_streams,nb_programs,start_time,duration',
  'stream=index,codec_type,codec_name,pix_fmt,width,height,sample_aspect_ratio,avg_frame_rate,r_frame_rate,start_time,duration,nb_frames',
  'stream_disposition=default,attached_pic,timed_thumbnails,still_image',
  'stream_tags=rotate,DURATION,DURATION-eng:stream_side_data=displaymatrix',
  FRAME_ENTRIES,
].join(':');

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
  const shown = ['-print_format', 'json', '-show_entries', FILE_ENTRIES];
  const read = ['-read_intervals', `%+#${FIRST_PACKETS}`];
  let text = '';
  const ended = await look(subject, [...inputOptions, ...shown, ...read], (chunk) => {
    text += chunk;
    if (text.length > MAX_REPORT_BYTES) throw new Failure('NOT_A_VIDEO', 'ffprobe reports too much about the file');
    return false;
  });
  if (ended === null) throw new Error('a report is read to its end');
  const { end, details } = ended;
  const json = parseJson(text);
  checkContainer(end.words.text, end.exit.code, details);
  if (json === null) throw endedWithoutReport(end, details);
  const parsed = probeReport.safeParse(json);
  if (!parsed.success || parsed.data.format === undefined) {
    throw new Failure('NOT_A_VIDEO', 'ffprobe found no media in the file', { details });
  }
  return { report: { ...parsed.data, format: parsed.data.format }, details };
}

/** The first frame of a stream that can be decoded, and none behind it; null where none comes in time. */
export async function firstFrameOf(
  subject: Subject,
  streamIndex: number,
  inputOptions: readonly string[],
): Promise<ProbedFrame | null> {
  let text = '';
  const shown = ['-print_format', 'compact', '-show_entries', FRAME_ENTRIES, '-select_streams', String(streamIndex)];
  try {
    await look(subject, [...inputOptions, ...shown], (chunk) => {
      text += chunk;
      // What belongs to a frame follows its line until the next one begins.
      return text.split(FRAME_BEGIN, 3).length === 3;
    });
  } catch (error) {
    // The stream's own word must do, and the decoder judges.
    if (!(error instanceof Failure) || !UNDECODABLE.has(error.code)) throw error;
  }
  return firstFrameIn(text);
}

/** The file keeps ffprobe busy without a picture, or is too much for it. */
const UNDECODABLE: ReadonlySet<FailureCode> = new Set(['VIDEO_DECODE_TIMEOUT', 'VIDEO_DECODE_FAILED']);
const FRAME_BEGIN = /^frame\|/m;

export function firstFrameIn(text: string): ProbedFrame | null {
  const [, first = ''] = text.split(FRAME_BEGIN, 2);
  const fields = new Map(first.split(/[|\n]/).map(fieldOf));
  const [width, height] = [Number(fields.get('width')), Number(fields.get('height'))];
  if (!(width > 0 && height > 0)) return null;
  const displaymatrix = fields.get('displaymatrix')?.replaceAll(String.raw`\n`, '\n');
  return {
    width,
    height,
    sample_aspect_ratio: fields.get('sample_aspect_ratio'),
    side_data_list: [{ displaymatrix }],
  };
}

/** `width=64`; what belongs to a message of the frame is marked with it by newer versions: `side_datum/3x3_displaymatrix:displaymatrix=...`. */
function fieldOf(text: string): [string, string] {
  const middle = text.indexOf('=');
  return [text.slice(0, middle).replace(/^side_dat[^:]*:/, ''), text.slice(middle + 1)];
}

async function look(
  { tools, file, timeoutMs, clock, signal }: Subject,
  args: readonly string[],
  onText: (chunk: string) => boolean,
): Promise<{ end: ToolEnd; details: Look['details'] } | null> {
  const ended = await runFfprobe(tools, file, { args, timeoutMs, clock, onText }, signal);
  if (ended === null) return null;
  const { exit, words } = ended;
  const details = { lastWords: words.text, exitCode: exit.code, exitSignal: exit.signal };
  const end: ToolEnd = { tool: 'ffprobe', exit, words };
  const otherReason = endedByForce(end, details) ?? gaveUpWithoutReason(end, details);
  if (otherReason !== null) throw otherReason;
  return { end, details };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
