import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { locateFfmpeg } from '../../src/video/tools/ffmpeg-binary.ts';
import { runWithNotes, type NotedRun } from '../harness/run-with-notes.ts';
import { samplingFilter } from '../../src/video/clock/sampling-filter.ts';

export interface ReplayTools {
  readonly ffmpegPath: string;
  readonly ffprobePath: string;
}

/** As the daemon asks for it of a plain file. */
const SAMPLING = { startMicros: 0, frameMicros: 100_000, maxGapMicros: 3_600_000_000, framesPerSecond: 1.5 };

/**
 * Programs that answer for one video as ffmpeg and ffprobe did once: as many processes and pipes a job, at a tenth of the cost.
 */
export async function recordTools(file: string, folder: string): Promise<ReplayTools> {
  const real = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
  const probe = ['-v', 'level+error', '-print_format', 'json', '-show_format', '-show_streams', '-i', file];
  const decode = [
    ['-hide_banner', '-nostdin', '-nostats', '-v', 'repeat+level+info', '-i', file, '-map', '0:V:0'],
    ['-vf', samplingFilter(SAMPLING), '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
  ].flat();
  return {
    ffprobePath: await replayOf('ffprobe', await record(real.ffprobe, probe), folder),
    ffmpegPath: await replayOf('ffmpeg', await record(real.ffmpeg, decode), folder),
  };
}

async function record(program: string, args: readonly string[]): Promise<NotedRun> {
  const run = await runWithNotes(program, args);
  if (run.code === 0) return run;
  throw new Error(`${program}: ${run.stderr}`);
}

async function replayOf(name: string, { stdout, stderr, notes }: NotedRun, folder: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(`${path}.out`, stdout);
  const version = `if [ "$1" = -version ]; then echo "${name} version replay"; exit; fi`;
  // Text by a word of the shell itself: starting programs is what the replay saves.
  const words = `printf %s '${stderr.replaceAll("'", "'\\''")}' >&2`;
  const times = notes === '' ? ':' : `printf '${notes.replaceAll('\n', String.raw`\n`)}' >&3; exec 3>&-`;
  await writeFile(path, `#!/bin/sh\n${version}\n${words}\n${times}\nexec cat ${path}.out\n`);
  await chmod(path, 0o700);
  return path;
}
