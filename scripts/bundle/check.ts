import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FfmpegTools, locateFfmpeg } from '../../src/video/tools/ffmpeg-binary.ts';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';

const LIMIT_MS = 300_000;

export interface BundleCheck {
  readonly tracks: number;
  readonly frames: number;
  readonly milliseconds: number;
  /** Whose ffmpeg decoded. */
  readonly ffmpeg: FfmpegTools['source'];
}

/**
 * Runs the five models on four seconds of the demo video with the bundle's own Node, packages and pack: `empty` is a folder with
 * nothing in it, and the environment has neither this project's paths nor a home. Throws with the command's last words.
 */
export async function checkBundle(bundle: string, empty: string): Promise<BundleCheck> {
  const video = join(empty, 'demo.mp4');
  await renderVideo(video, AbortSignal.timeout(LIMIT_MS), 4, 4);
  const started = performance.now();
  const { stdout } = await promisify(execFile)(
    join(bundle, 'scripts/video-worker'),
    ['analyze', video, '--device', 'cpu', '--json', '-'],
    { cwd: empty, env: { PATH: '/usr/bin:/bin', TMPDIR: empty }, timeout: LIMIT_MS, maxBuffer: 1 << 26 },
  );
  const analysis = JSON.parse(stdout) as { readonly tracks: readonly unknown[]; readonly frames: readonly unknown[] };
  if (analysis.tracks.length === 0) throw new Error('the chain ran from the bundle and saw nobody in the demo video');
  return {
    tracks: analysis.tracks.length,
    frames: analysis.frames.length,
    milliseconds: Math.round(performance.now() - started),
    ffmpeg: await ffmpegSource(bundle),
  };
}

/** Asks the bundle's own code, since its place decides what it finds. */
async function ffmpegSource(bundle: string): Promise<FfmpegTools['source']> {
  const module = join(bundle, 'dist/video/tools/ffmpeg-binary.js');
  const bundled = (await import(module)) as { readonly locateFfmpeg: typeof locateFfmpeg };
  return (await bundled.locateFfmpeg({ ffmpegPath: null, ffprobePath: null })).source;
}
