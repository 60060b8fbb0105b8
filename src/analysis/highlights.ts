import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box } from '../vision/box.ts';
import type { FrameHandle, ModelChain } from '../chain/model-chain.ts';
import type { HighlightImage } from './video-analysis.ts';

/** What the keys of all highlight images begin with. */
export const HIGHLIGHTS_PREFIX = 'highlights/';

export interface HighlightWriter {
  /** JPEG of the frame with the person's box drawn. */
  capture(handle: FrameHandle, box: Box, caption: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Writes the picture into the workspace and gives it its key. */
  write(jpeg: Uint8Array, seconds: number, action: string, signal: AbortSignal): Promise<HighlightImage>;
}

/**
 * Highlight images of one video. Keys are `highlights/{video_id}/{seconds}s_{action}.jpg` with one decimal; the second
 * and later events of one action in the same tenth of a second get `_2`, `_3`, ... before the ending.
 */
export function createHighlightWriter(chain: ModelChain, videoId: string, workspaceDir: string): HighlightWriter {
  const folder = join(workspaceDir, 'highlights');
  const used = new Map<string, number>();
  return {
    capture: (handle, box, caption, signal) =>
      chain.jpeg(handle, { box, caption, maxWidth: 1280, quality: 85 }, signal),
    async write(jpeg, seconds, action, signal) {
      const stem = `${seconds.toFixed(1)}s_${safeName(action)}`;
      const count = (used.get(stem) ?? 0) + 1;
      used.set(stem, count);
      const name = count === 1 ? `${stem}.jpg` : `${stem}_${count}.jpg`;
      await mkdir(folder, { recursive: true });
      const file = join(folder, name);
      await writeFile(file, jpeg, { signal });
      return { key: `${HIGHLIGHTS_PREFIX}${encodeURIComponent(videoId)}/${name}`, file };
    },
  };
}

/** A label as part of a file name: letters, digits, `-` and `_` only. */
function safeName(label: string): string {
  return label.replaceAll(/[^\p{L}\p{N}_-]+/gu, '-').slice(0, 80) || 'action';
}
