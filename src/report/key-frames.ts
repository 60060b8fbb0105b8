import { readFile } from 'node:fs/promises';
import type { KeyFrame } from '../analysis/key-frames.ts';
import type { VideoAnalysis } from '../analysis/video-analysis.ts';
import type { ReportImages } from './images.ts';

/** Reads the pictures of an analysis from its workspace, before that is removed; files that are gone are left out. */
export async function readReportImages(
  analysis: VideoAnalysis,
  keyFrames: readonly KeyFrame[],
  signal?: AbortSignal,
): Promise<ReportImages> {
  const read = async (file: string): Promise<Uint8Array | null> => {
    try {
      return await readFile(file, { signal });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  };
  const highlights = new Map<string, Uint8Array>();
  for (const { highlight } of analysis.events) {
    const jpeg = highlight === null ? null : await read(highlight.file);
    if (highlight !== null && jpeg !== null) highlights.set(highlight.key, jpeg);
  }
  const pictures: { frameIndex: number; t: number; jpeg: Uint8Array }[] = [];
  for (const { frameIndex, t, file } of keyFrames) {
    const jpeg = await read(file);
    if (jpeg !== null) pictures.push({ frameIndex, t, jpeg });
  }
  return { keyFrames: pictures, highlights };
}
