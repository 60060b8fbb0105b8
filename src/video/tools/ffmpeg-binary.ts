import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { Failure } from '../../failure/failure.ts';
import { firstExecutable, isExecutable } from './executable.ts';
import type { SandboxVerdict } from './find-sandbox.ts';
import { shortAnswer } from './short-answer.ts';
import { startTool } from './start-tool.ts';

export interface FfmpegTools {
  readonly ffmpeg: string;
  readonly ffprobe: string;
  readonly source: 'configured' | 'bundle' | 'system' | 'ffmpeg-static';
  /** What they start in; nothing when absent. */
  readonly sandbox?: SandboxVerdict | undefined;
}

export interface FfmpegPaths {
  readonly ffmpegPath: string | null;
  readonly ffprobePath: string | null;
}

/** Where scripts/make-bundle puts them; absent otherwise. */
const BUNDLED = join(import.meta.dirname, '../../../.local/ffmpeg');
const SEARCH_PATH = [BUNDLED, '/usr/local/bin', '/usr/bin', '/bin', '/opt/ffmpeg/bin'];
const FIX = 'install ffmpeg (it brings ffprobe) or set FFMPEG_PATH and FFPROBE_PATH';

/**
 * Finds ffmpeg and ffprobe: the configured ones, else those of the bundle, else the system's, else the ffmpeg-static
 * package. ffmpeg-static brings no ffprobe, so it needs one from elsewhere. Starts neither: whether they work is `askVersion`'s to say.
 */
export async function locateFfmpeg(config: FfmpegPaths, searchPath?: string): Promise<FfmpegTools> {
  const directories = searchPath === undefined ? SEARCH_PATH : searchPath.split(delimiter);
  const [ffmpeg, source] = await findFfmpeg(config.ffmpegPath, directories);
  const ffprobe = await findFfprobe(config.ffprobePath, [dirname(ffmpeg), ...directories]);
  return { ffmpeg, ffprobe, source };
}

/**
 * The version as ffmpeg calls it, for example `6.1.1` or `5.1.9-0+deb12u1`. Rejects with FFMPEG_MISSING that names the program where
 * one of the two does not answer as itself.
 */
export async function askVersion(tools: FfmpegTools): Promise<string> {
  const [version] = await Promise.all([versionOf(tools, 'ffmpeg'), versionOf(tools, 'ffprobe')]);
  return version;
}

async function findFfmpeg(
  configured: string | null,
  directories: readonly string[],
): Promise<[string, FfmpegTools['source']]> {
  if (configured !== null) {
    if (await isExecutable(configured)) return [configured, 'configured'];
    throw new Failure('FFMPEG_MISSING', `the configured ffmpeg ${configured} is not an executable file; ${FIX}`);
  }
  const system = await firstIn(directories, 'ffmpeg');
  if (system !== null) return [system, dirname(system) === BUNDLED ? 'bundle' : 'system'];
  const bundled = bundledFfmpeg();
  if (bundled !== null && (await isExecutable(bundled))) return [bundled, 'ffmpeg-static'];
  throw new Failure('FFMPEG_MISSING', `no ffmpeg in ${directories.join(', ')} or in ffmpeg-static; ${FIX}`);
}

async function findFfprobe(configured: string | null, directories: readonly string[]): Promise<string> {
  if (configured !== null) {
    if (await isExecutable(configured)) return configured;
    throw new Failure('FFMPEG_MISSING', `the configured ffprobe ${configured} is not an executable file; ${FIX}`);
  }
  const found = await firstIn(directories, 'ffprobe');
  if (found !== null) return found;
  throw new Failure('FFMPEG_MISSING', `no ffprobe in ${directories.join(', ')}; ${FIX}`);
}

/** The package is optional and its binary may never have been downloaded. */
function bundledFfmpeg(): string | null {
  try {
    const path: unknown = createRequire(import.meta.url)('ffmpeg-static');
    return typeof path === 'string' ? path : null;
  } catch {
    return null;
  }
}

async function firstIn(directories: readonly string[], name: string): Promise<string | null> {
  return await firstExecutable(directories.filter((directory) => directory !== '').map((each) => join(each, name)));
}

async function versionOf(tools: FfmpegTools, name: 'ffmpeg' | 'ffprobe'): Promise<string> {
  const limits = { cpuSeconds: 10, memoryBytes: null };
  const child = await startTool(tools, { tool: name, args: ['-version'], file: null, limits });
  const text = await shortAnswer(child, 4096);
  const version = new RegExp(`^${name} version (\\S+)`).exec(text)?.[1];
  if (version !== undefined) return version;
  const { isSandboxRefused } = await child.exited;
  if (isSandboxRefused === true) throw new Failure('HOST_FAULT', `the sandbox of ${name} cannot be made`);
  throw new Failure('FFMPEG_MISSING', `${tools[name]} does not answer -version as ${name} does; ${FIX}`);
}
