import type { Failure } from '../../failure/failure.ts';
import type { Clock } from '../../time/clock.ts';
import { limitsFor, type ChildExit } from '../tools/child-process.ts';
import type { FfmpegTools } from '../tools/ffmpeg-binary.ts';
import { LastWords, LineSplitter } from '../tools/last-words.ts';
import { nameOf, startTool } from '../tools/start-tool.ts';
import { tookTooLong, WatchedWait } from '../tools/watched-wait.ts';

/**
 * Demuxers that read one file and nothing else. Playlists (hls, dash, concat), image sequences and
 * protocols are not here: those name other files or addresses.
 */
export const DEMUXERS = 'mov,mp4,matroska,webm,mpegts,mpeg,avi,flv,ogg';

export interface FfprobeRun {
  /** What to show, in which form, and the options of the input. */
  readonly args: readonly string[];
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Takes the report as it comes, and says true when it has enough; that, or what it throws, ends the run. */
  readonly onText: (text: string) => boolean;
}

export interface FfprobeEnd {
  readonly exit: ChildExit;
  readonly words: LastWords;
}

/**
 * Runs ffprobe on a file, limited in time and memory; it is gone in every outcome. Rejects with the reason of the signal. Null when the
 * run was ended because it had told enough.
 */
export async function runFfprobe(
  tools: FfmpegTools,
  file: string,
  run: FfprobeRun,
  signal: AbortSignal,
): Promise<FfprobeEnd | null> {
  signal.throwIfAborted();
  const words = new LastWords();
  const args = ['-hide_banner', '-v', 'level+error', '-protocol_whitelist', 'file', '-format_whitelist', DEMUXERS];
  args.push(...run.args, '-i', nameOf(file));
  const limits = limitsFor(run.timeoutMs, 1, undefined);
  const child = await startTool(tools, { tool: 'ffprobe', args, file, limits });
  let late: Promise<Failure> | null = null;
  const end = (): void => void child.stop();
  const wait = new WatchedWait(child, run.timeoutMs, run.clock, () => {
    // Read before it is ended: afterwards nobody knows what it did.
    late = lateness(wait, run.timeoutMs, words).finally(end);
  });
  signal.addEventListener('abort', end, { once: true });
  const errors = new LineSplitter((line) => words.add(line));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => errors.push(chunk));
  try {
    if (signal.aborted) end();
    for await (const chunk of child.stdout.setEncoding('utf8')) {
      if (run.onText(String(chunk))) return null;
    }
    const exit = await child.exited;
    errors.end();
    signal.throwIfAborted();
    if (late !== null) throw await (late as Promise<Failure>);
    return { exit, words };
  } catch (error) {
    signal.throwIfAborted();
    throw late === null ? error : await (late as Promise<Failure>);
  } finally {
    wait.cancel();
    signal.removeEventListener('abort', end);
    await child.stop();
  }
}

async function lateness(wait: WatchedWait, timeoutMs: number, words: LastWords): Promise<Failure> {
  return tookTooLong(`ffprobe did not end within ${timeoutMs} ms`, await wait.verdict(), {
    details: { timeoutMs, lastWords: words.text },
  });
}
