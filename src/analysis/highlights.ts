import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameHandle, JpegOptions, ModelChain } from '../chain/model-chain.ts';
import { OWN_FILE } from './own-file.ts';
import type { BoxTuple } from './video-analysis.ts';

export interface HighlightWriter {
  /** JPEG of the frame with the person's box drawn. */
  capture(handle: FrameHandle, begin: HighlightBegin, signal: AbortSignal): Promise<Uint8Array>;
  /** Writes the picture into the workspace and answers with its file. */
  write(jpeg: Uint8Array, signal: AbortSignal): Promise<string>;
}

/** The frame in which an action begins, as its event keeps it. */
export interface HighlightBegin {
  readonly type: string;
  readonly startSeconds: number;
  readonly box: BoxTuple;
}

/** Highlight images of one video, in its workspace until they are uploaded. */
export function createHighlightWriter(chain: ModelChain, workspaceDir: string): HighlightWriter {
  const folder = join(workspaceDir, 'highlights');
  let written = 0;
  return {
    capture: (handle, begin, signal) => chain.jpeg(handle, highlightPicture(begin), signal),
    async write(jpeg, signal) {
      written += 1;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, `${written}.jpg`);
      await writeFile(file, jpeg, { ...OWN_FILE, signal });
      return file;
    },
  };
}

/** How a highlight looks: a function of what is stored, so that the same picture can be made again later. */
export function highlightPicture({ type, startSeconds, box: [x1, y1, x2, y2] }: HighlightBegin): JpegOptions {
  return { box: { x1, y1, x2, y2 }, caption: `${type} ${startSeconds.toFixed(1)} s`, maxWidth: 1280, quality: 85 };
}
