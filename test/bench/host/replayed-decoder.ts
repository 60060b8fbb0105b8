import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DEFAULT_ANALYSIS_SETTINGS } from '../../../src/analysis/settings.ts';
import { samplingFilter } from '../../../src/video/clock/sampling-filter.ts';
import { decodeArguments } from '../../../src/video/decode/decode-arguments.ts';
import { WHOLE_PASS } from '../../../src/video/decode/decode-mode.ts';
import { probeVideo } from '../../../src/video/probe/probe.ts';
import type { FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';

/** A decoding as ffmpeg did it once. */
export interface RecordedDecoding {
  readonly folder: string;
  readonly ffmpeg: string;
  /** Seconds of the processor that ffmpeg took. */
  readonly cpuSeconds: number;
}

const run = promisify(execFile);
const LIMITS = {
  maxDurationSeconds: 7_200,
  maxPixels: 10_000_000,
  maxFrameRate: 120,
  maxFrames: 500_000,
  maxStreams: 8,
  timeoutMs: 60_000,
};

/** Decodes a file once as the worker does, into files of the folder. Raw frames take six megabytes each at 1080p. */
export async function recordDecoding(tools: FfmpegTools, file: string, folder: string): Promise<RecordedDecoding> {
  const video = await probeVideo(tools, file, LIMITS, AbortSignal.timeout(LIMITS.timeoutMs));
  const { startMicros, maxGapMicros, durationSeconds } = video;
  const frameMicros = Math.round(1e6 / video.frameRate);
  const promisedMicros = Math.round(durationSeconds * 1e6);
  const { framesPerSecond } = DEFAULT_ANALYSIS_SETTINGS;
  const filter = samplingFilter({ framesPerSecond, startMicros, maxGapMicros, frameMicros, promisedMicros });
  const args = decodeArguments(file, video, { filter, pass: WHOLE_PASS, threads: 1 });
  const command = `exec '${tools.ffmpeg}' -benchmark "$@" > '${folder}/frames' 2> '${folder}/said' 3> '${folder}/notes'`;
  await run('/bin/sh', ['-c', command, 'ffmpeg', ...args], { cwd: dirname(file) });
  const said = await readFile(join(folder, 'said'), 'utf8');
  const [, user = Number.NaN, system = Number.NaN] = (/utime=([\d.]+)s stime=([\d.]+)s/.exec(said) ?? []).map(Number);
  const words = said.split('\n').filter((line) => !/bench: (utime|maxrss)/.test(line));
  await writeFile(join(folder, 'words'), words.join('\n'));
  return { folder, ffmpeg: tools.ffmpeg, cpuSeconds: user + system };
}

/** Whole frames, each after a pause: as a decoder that has a core of its own, which works on no further frame while nobody reads. */
const WRITER = `
my ($file, $size, $pause) = @ARGV; open(my $in, '<', $file) or die; binmode($in); binmode(STDOUT);
while (sysread($in, my $frame, $size) == $size) {
  select(undef, undef, undef, $pause) if $pause > 0;
  for (my $at = 0; $at < $size;) { my $count = syswrite(STDOUT, $frame, $size - $at, $at); exit 1 unless $count; $at += $count }
}`;

/** A program that is ffmpeg but for decoding, where it gives the recorded frames, one each `pauseMs`. */
export async function replayDecoder(
  { folder, ffmpeg }: RecordedDecoding,
  frameBytes: number,
  pauseMs: number,
): Promise<string> {
  const replay = `cat '${folder}/words' >&2\ncat '${folder}/notes' >&3\nexec 3>&-\nexec perl '${folder}/writer.pl' '${folder}/frames' ${frameBytes} ${pauseMs / 1000}`;
  await writeFile(join(folder, 'writer.pl'), WRITER);
  return script(folder, `replay-${Math.round(pauseMs * 10)}`, ffmpeg, replay);
}

async function script(folder: string, name: string, ffmpeg: string, decode: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\ncase " $* " in *" rawvideo "*) ;; *) exec '${ffmpeg}' "$@" ;; esac\n${decode}\n`);
  await chmod(path, 0o700);
  return path;
}
