import { setTimeout as sleep } from 'node:timers/promises';
import { progressText, type ShownProgress } from '../../src/cli/progress-text.ts';
import type { Database } from '../../src/persistence/client.ts';
import { findVideo, type VideoRecord } from '../../src/persistence/read/videos.ts';
import type { Daemon } from './daemon.ts';

export interface WatchOptions {
  readonly database: Database;
  readonly videoId: string;
  readonly daemon: Daemon;
  readonly out: NodeJS.WriteStream;
  /** Sampled frames of the video, where that is known beforehand. */
  readonly framesExpected: number | null;
}

const LOOK_MS = 400;
const LONGEST_MS = 30 * 60_000;

/** Shows the progress that the daemon writes to the database until the video is completed or has failed. */
export async function watchVideo(options: WatchOptions, signal: AbortSignal): Promise<VideoRecord> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]);
  const view = progressText(options.out);
  let working: number | null = null;
  for (;;) {
    end.throwIfAborted();
    const video = await lookUp(options, end);
    if (video !== null && (video.status === 'completed' || video.status === 'failed')) {
      view.update({ percent: 100, stage: video.status });
      view.end();
      return video;
    }
    if (video?.status === 'processing') {
      working ??= performance.now();
      const seconds = (performance.now() - working) / 1000;
      view.update({
        percent: video.progress,
        stage: video.stage ?? 'starting',
        ...paceOf(video.progress, seconds, options.framesExpected),
      });
    }
    await Promise.race([sleep(LOOK_MS), options.daemon.died]);
  }
}

/** The database knows the percent; frames and rates follow from it. */
function paceOf(percent: number, seconds: number, framesExpected: number | null): Partial<ShownProgress> {
  if (percent <= 5 || seconds <= 0) return {};
  const etaSeconds = (seconds * (100 - percent)) / percent;
  if (framesExpected === null) return { etaSeconds };
  const framesDone = Math.min(framesExpected, Math.round((framesExpected * percent) / 100));
  return { etaSeconds, framesDone, framesExpected, framesPerSecond: framesDone / seconds };
}

/** Before the daemon has made its tables there is nothing to see yet. */
async function lookUp(options: WatchOptions, signal: AbortSignal): Promise<VideoRecord | null> {
  try {
    return await findVideo(options.database, options.videoId, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'DATABASE_NOT_MIGRATED') return null;
    throw error;
  }
}
