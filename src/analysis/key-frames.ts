import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameHandle, ModelChain } from '../chain/model-chain.ts';
import { FullestFrames } from './fullest-frames.ts';
import { OWN_FILE } from './own-file.ts';

/** A picture kept for a report: plain JPEG, the boxes are in the analysis. */
export interface KeyFrame {
  readonly frameIndex: number;
  readonly t: number;
  readonly file: string;
}

interface KeyFrameKeeper {
  /** Keeps the frame when its stretch of the video has none yet that shows so many persons as tracks. */
  offer(
    frame: { readonly index: number; readonly t: number },
    persons: number,
    handle: FrameHandle,
    signal: AbortSignal,
  ): Promise<void>;
  /** Asked once, when it is known how long the video is. */
  kept(durationSeconds: number): readonly KeyFrame[];
}

/**
 * Keeps pictures in `workspaceDir/key-frames` and tells the best `count` of them: the video is cut into `count` equal stretches and each
 * shows its first frame with the most persons, so that a report shows the whole video and not its busiest minute.
 */
export function createKeyFrameKeeper(
  chain: ModelChain,
  workspaceDir: string,
  count: number,
  promisedSeconds: number,
): KeyFrameKeeper {
  const folder = join(workspaceDir, 'key-frames');
  const fullest = new FullestFrames<KeyFrame>(count, promisedSeconds);
  return {
    async offer(frame, persons, handle, signal) {
      if (count <= 0 || persons === 0 || !fullest.wants(frame.t, persons)) return;
      const jpeg = await chain.jpeg(handle, { maxWidth: 960, quality: 80 }, signal);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, `${frame.index}.jpg`);
      await writeFile(file, jpeg, { ...OWN_FILE, signal });
      const dropped = fullest.add(frame.t, persons, { frameIndex: frame.index, t: frame.t, file });
      for (const { file: left } of dropped) await rm(left, { force: true });
    },
    kept: (durationSeconds) => fullest.best(durationSeconds),
  };
}
