import { stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { toFailure } from '../failure/classify.ts';
import type { FailureCode } from '../failure/codes.ts';
import { Failure } from '../failure/failure.ts';
import { onDisk } from '../storage/on-disk.ts';
import type { Workspaces } from '../storage/workspace.ts';
import { afterRunning } from '../time/after-running.ts';
import { systemClock, type Clock } from '../time/clock.ts';
import { CHECK_LIMIT_MS } from '../video/check/check-tools.ts';

/** What only ffprobe and ffmpeg say of a file: as true as the tools are sound. */
const BY_TOOLS: ReadonlySet<FailureCode> = new Set([
  'NOT_A_VIDEO',
  'NO_VIDEO_STREAM',
  'OBJECT_EMPTY',
  'VIDEO_TRUNCATED',
  'VIDEO_NO_FRAMES',
  'VIDEO_DIMENSIONS',
  'VIDEO_FRAME_RATE',
  'VIDEO_TOO_LONG',
  'VIDEO_TOO_MANY_STREAMS',
  'VIDEO_FORMAT_FORBIDDEN',
  'VIDEO_DECODE_FAILED',
  'VIDEO_DECODE_TIMEOUT',
  'DECODER_INTERRUPTED',
]);

/** The file that a verdict is about. */
export interface JudgedFile {
  readonly path: string;
  readonly sizeBytes: number;
}

export interface ToolCheckOptions {
  readonly folder: Workspaces;
  /** Has the tools work on a known clip in the folder; rejects where they are not sound. */
  readonly check: (folder: string, signal: AbortSignal) => Promise<void>;
  /** The system's when absent. */
  readonly clock?: Clock;
}

/** What a check of the tools says: sound, what is wrong with them, or nothing. */
type Answer = { readonly kind: 'sound' | 'late' } | { readonly kind: 'broken'; readonly failure: Failure };

/**
 * Doubts a verdict of the tools about a video before it is believed: the file must still be the one that was downloaded, and the tools must
 * work on a clip that is known to be good. Made once for all jobs, which share a check that begins after their verdicts.
 */
export class ToolCheck {
  readonly #options: ToolCheckOptions;
  #waiting = 0;
  #stop = new AbortController();
  #running: Promise<Answer> | null = null;
  #next: Promise<Answer> | null = null;

  constructor(options: ToolCheckOptions) {
    this.#options = options;
  }

  /** Verdicts that wait for a check. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Does the work; where it fails by a verdict of the tools that does not hold, it fails by what was the matter instead. */
  async doubting<T>(file: JudgedFile, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // An interruption outranks the verdict, and nobody waits for a check.
      if (signal.aborted) throw error;
      const verdict = toFailure(error);
      if (!BY_TOOLS.has(verdict.code)) throw error;
      throw (await this.#objection(verdict, file, signal)) ?? error;
    }
  }

  async #objection(verdict: Failure, file: JudgedFile, signal: AbortSignal): Promise<Failure | null> {
    const details = { ...verdict.details, doubted: verdict.code };
    if (!(await isWhole(file, signal))) {
      const message = `the file is not as it was downloaded any more; keep cleaners away from WORK_DIR (${verdict.message})`;
      return new Failure('DECODER_INTERRUPTED', message, { cause: verdict, details });
    }
    const answer = await this.#answerFor(signal);
    signal.throwIfAborted();
    if (answer.kind === 'sound') return null;
    if (answer.kind === 'broken') {
      const { code, message, details: found } = answer.failure;
      return new Failure(code, message, { cause: verdict, details: { ...details, ...found } });
    }
    const message = `${verdict.message}; the check of ffmpeg did not end in time, so that this is not believed`;
    return new Failure('DECODER_INTERRUPTED', message, { cause: verdict, details });
  }

  async #answerFor(signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    this.#waiting += 1;
    const leave = (): void => {
      this.#waiting -= 1;
      // Nobody wants to know any more: no process of the check may outlive the jobs.
      if (this.#waiting === 0) this.#stop.abort();
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await this.#afterNow();
    } finally {
      signal.removeEventListener('abort', leave);
      if (!signal.aborted) this.#waiting -= 1;
    }
  }

  /** A check that is already under way may have seen the tools before they broke: only one that begins now counts. */
  #afterNow(): Promise<Answer> {
    if (this.#running === null) return this.#begin();
    this.#next ??= this.#running.then(() => this.#begin());
    return this.#next;
  }

  #begin(): Promise<Answer> {
    this.#next = null;
    const running = this.#check().finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #check(): Promise<Answer> {
    if (this.#waiting === 0) return { kind: 'late' };
    const { folder, check, clock = systemClock } = this.#options;
    const controller = new AbortController();
    this.#stop = controller;
    const timer = afterRunning(clock, CHECK_LIMIT_MS, () => {
      controller.abort();
    });
    try {
      await using workspace = await folder.workspace('check');
      await onDisk('write the clip', () => check(workspace.directory, controller.signal));
      return { kind: 'sound' };
    } catch (error) {
      const failure = toFailure(error);
      if (failure.class === 'system') return { kind: 'broken', failure };
      return { kind: 'late' };
    } finally {
      timer.cancel();
    }
  }
}

/** Reads the file to its end: what the disk cannot give back is the host's fault, and not of what is in the file. */
async function isWhole({ path, sizeBytes }: JudgedFile, signal: AbortSignal): Promise<boolean> {
  try {
    return await onDisk('read the video', async () => {
      if ((await stat(path)).size !== sizeBytes) return false;
      let read = 0;
      for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024, signal })) {
        read += (chunk as Buffer).length;
      }
      return read === sizeBytes;
    });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
