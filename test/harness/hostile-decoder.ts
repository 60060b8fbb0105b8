import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FfmpegTools } from '../../src/video/tools/ffmpeg-binary.ts';

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'hostile-decoder.c');

/** In place of ffmpeg and of ffprobe: `hostile-decoder.c`, compiled into the folder. */
export async function hostileTools(folder: string): Promise<FfmpegTools> {
  const [ffmpeg, ffprobe] = [join(folder, 'ffmpeg'), join(folder, 'ffprobe')];
  await run('gcc', ['-O1', '-Wall', '-Werror', '-o', ffmpeg, SOURCE], { timeout: 60_000 });
  await copyFile(ffmpeg, ffprobe);
  return { ffmpeg, ffprobe, source: 'configured' };
}
