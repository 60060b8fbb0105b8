import { readFile } from 'node:fs/promises';
import { runProgram } from './run-program.ts';
import { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';

/** A temporary folder for media. */
export async function mediaFolder(): Promise<TemporaryFolder> {
  return await temporaryFolder('media');
}

/** Runs the system's ffmpeg to make a fixture. */
export async function makeMedia(args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram('ffmpeg', ['-v', 'error', '-y', ...args]);
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${stderr}`);
}

/** A test picture that changes with each frame. */
export function testSource(options: { size?: string; rate?: number | string; seconds?: number } = {}): string[] {
  const { size = '64x48', rate = 10, seconds = 3 } = options;
  return ['-f', 'lavfi', '-i', `testsrc=s=${size}:r=${rate}:d=${seconds}`];
}

/** A second of a tone: a file with sound and no picture. */
export async function makeSound(file: string): Promise<void> {
  await makeMedia(['-f', 'lavfi', '-i', 'sine=d=1', file]);
}

/** A moving test picture of 64 by 64, in MPEG-4, which is quick to make; answers with the file's content. */
export async function makeSmallVideo(file: string, seconds = 2): Promise<Buffer> {
  await makeMedia([...testSource({ size: '64x64', seconds }), '-c:v', 'mpeg4', file]);
  return await readFile(file);
}
