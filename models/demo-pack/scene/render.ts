import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import ffmpegStatic from 'ffmpeg-static';
import { drawScene } from './draw.ts';
import { figureOf } from './figure.ts';
import { Canvas } from './raster.ts';
import { FPS, HEIGHT, SECONDS, sceneAt, WIDTH } from './scene.ts';
import { drawBackground } from './store.ts';
import { truthOfScene } from './truth.ts';

// One encoder thread and no version strings: the same ffmpeg gives the same bytes every time. The colour matrix is
// stated, since a reader that guesses another one would shift the colours that the models read.
const ENCODER = [
  '-c:v libx264 -preset veryfast -crf 17 -g 50 -pix_fmt yuv420p -threads 1',
  '-vf scale=out_color_matrix=bt709:out_range=tv:flags=bilinear+accurate_rnd+bitexact',
  '-colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv',
  '-fflags +bitexact -flags +bitexact -map_metadata -1 -movflags +faststart -an',
].flatMap((line) => line.split(' '));

/**
 * Renders the demo store video to `out` as H.264 in MP4. `signal` ends ffmpeg; `seconds` and `from` choose a
 * part of the scene. Throws with
 * ffmpeg's last words when it fails.
 */
export async function renderVideo(out: string, signal: AbortSignal, seconds = SECONDS, from = 0): Promise<void> {
  await mkdir(dirname(out), { recursive: true });
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', `${WIDTH}x${HEIGHT}`, '-r', String(FPS), '-i', 'pipe:0'];
  const ffmpeg = spawn(ffmpegPath(), ['-v', 'error', '-y', ...input, ...ENCODER, out], {
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
  });
  const words: string[] = [];
  ffmpeg.stderr.setEncoding('utf8').on('data', (text: string) => words.push(text));
  // A broken pipe is told by the exit status, which comes with ffmpeg's own words.
  ffmpeg.stdin.on('error', () => {});
  let failure: unknown;
  ffmpeg.on('error', (error) => (failure ??= error));
  const ended = new Promise<number | null>((resolve) => ffmpeg.once('close', resolve));
  const background = drawBackground();
  const frames = Math.round(seconds * FPS);
  const free: Canvas[] = [];
  for (let index = 0; index < frames && ffmpeg.stdin.writable && !signal.aborted; index++) {
    // Not one whose picture the pipe still reads.
    const canvas = free.pop() ?? new Canvas(WIDTH, HEIGHT);
    const people = sceneAt(from + index / FPS).map((person) => ({ person, figure: figureOf(person) }));
    drawScene(canvas, background, people);
    if (!ffmpeg.stdin.write(canvas.pixels, () => free.push(canvas))) {
      await Promise.race([new Promise((resolve) => ffmpeg.stdin.once('drain', resolve)), ended]);
    }
  }
  ffmpeg.stdin.end();
  const code = await ended;
  signal.throwIfAborted();
  if (code !== 0) {
    const reason = words.join('').trim() || String(failure);
    throw new Error(`ffmpeg could not encode ${out} (exit status ${code}): ${reason}`, { cause: failure });
  }
}

/** ffmpeg-static's binary where it is installed, the system's otherwise. */
function ffmpegPath(): string {
  const bundled = ffmpegStatic as unknown as string | null;
  return bundled !== null && existsSync(bundled) ? bundled : 'ffmpeg';
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, truth: { type: 'string' }, seconds: { type: 'string' } },
  });
  if (values.out === undefined && values.truth === undefined) {
    console.error('usage: render.ts [--out FILE.mp4] [--truth FILE.json] [--seconds N]');
    process.exitCode = 2;
  }
  if (values.truth !== undefined) {
    await mkdir(dirname(values.truth), { recursive: true });
    await writeFile(values.truth, `${JSON.stringify(truthOfScene())}\n`);
  }
  if (values.out !== undefined) {
    const seconds = values.seconds === undefined ? SECONDS : Number(values.seconds);
    await renderVideo(values.out, AbortSignal.timeout(120_000), seconds);
  }
}
