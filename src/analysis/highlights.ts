import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameHandle, JpegOptions, ModelChain } from '../chain/model-chain.ts';
import type { ActionEvent, BoxTuple } from './video-analysis.ts';

/** What the keys of all highlight images begin with. */
export const HIGHLIGHTS_PREFIX = 'highlights/';

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
      await mkdir(folder, { recursive: true });
      const file = join(folder, `${written}.jpg`);
      await writeFile(file, jpeg, { signal });
      return file;
    },
  };
}

/** How a highlight looks: a function of what is stored, so that the same picture can be made again later. */
export function highlightPicture({ type, startSeconds, box: [x1, y1, x2, y2] }: HighlightBegin): JpegOptions {
  return { box: { x1, y1, x2, y2 }, caption: `${type} ${startSeconds.toFixed(1)} s`, maxWidth: 1280, quality: 85 };
}

/**
 * The keys of the highlight images of events, in the order of the events: `highlights/{video_id}/{seconds}s_{action}.jpg` with one decimal;
 * the second and later events of one action in the same tenth of a second get `_2`, `_3`, ... before the ending.
 */
export function highlightKeys(
  videoId: string,
  events: readonly Pick<ActionEvent, 'type' | 'startSeconds'>[],
): readonly string[] {
  const used = new Map<string, number>();
  return events.map(({ type, startSeconds }) => {
    const stem = `${startSeconds.toFixed(1)}s_${safeName(type)}`;
    const count = (used.get(stem) ?? 0) + 1;
    used.set(stem, count);
    const name = count === 1 ? `${stem}.jpg` : `${stem}_${count}.jpg`;
    return `${HIGHLIGHTS_PREFIX}${encodeURIComponent(videoId)}/${name}`;
  });
}

/** A label as part of a file name: letters, digits, `-` and `_` only. */
function safeName(label: string): string {
  return label.replaceAll(/[^\p{L}\p{N}_-]+/gu, '-').slice(0, 80) || 'action';
}
