import { locateFfmpeg, type FfmpegPaths, type FfmpegTools } from './ffmpeg-binary.ts';
import { findSandbox, holdToSandbox, type SandboxQuestion } from './find-sandbox.ts';

/**
 * Finds ffmpeg and ffprobe, and decides on the sandbox that they start in. Rejects with FFMPEG_MISSING, with HOST_FAULT where a sandbox is
 * required and there is none, and with the reason of the signal.
 */
export async function openTools(
  paths: FfmpegPaths,
  question: SandboxQuestion,
  signal: AbortSignal,
): Promise<FfmpegTools> {
  const tools = await locateFfmpeg(paths);
  const sandbox = await findSandbox(tools, question, signal);
  holdToSandbox(sandbox);
  return { ...tools, sandbox };
}
