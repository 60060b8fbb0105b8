import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameHandle, ModelChain } from '../chain/model-chain.ts';

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
  kept(): readonly KeyFrame[];
}

/**
 * Keeps up to `count` pictures in `workspaceDir/key-frames`: the video is cut into `count` equal stretches and each
 * keeps its first frame with the most persons, so that a report shows the whole video and not its busiest minute.
 */
export function createKeyFrameKeeper(
  chain: ModelChain,
  workspaceDir: string,
  count: number,
  durationSeconds: number,
): KeyFrameKeeper {
  const folder = join(workspaceDir, 'key-frames');
  const stretches = new Map<number, { readonly persons: number; readonly frame: KeyFrame }>();
  return {
    async offer(frame, persons, handle, signal) {
      if (count <= 0 || persons === 0) return;
      const share = durationSeconds > 0 ? frame.t / durationSeconds : 0;
      const stretch = Math.min(count - 1, Math.max(0, Math.floor(share * count)));
      if ((stretches.get(stretch)?.persons ?? 0) >= persons) return;
      const jpeg = await chain.jpeg(handle, { maxWidth: 960, quality: 80 }, signal);
      await mkdir(folder, { recursive: true });
      const file = join(folder, `${stretch}.jpg`);
      await writeFile(file, jpeg, { signal });
      stretches.set(stretch, { persons, frame: { frameIndex: frame.index, t: frame.t, file } });
    },
    kept: () => [...stretches.entries()].sort(([a], [b]) => a - b).map(([, { frame }]) => frame),
  };
}
