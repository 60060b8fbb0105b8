import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeMedia } from '../harness/media.ts';

/** The street pack as the worker takes it, the folder of its models, and the real clip. */
export interface StreetFootage {
  readonly pack: string;
  readonly models: string;
  readonly clip: string;
}

const ROOT = resolve(import.meta.dirname, '../..');
const PACK = join(ROOT, 'test/packs/street');
const MADE = join(ROOT, '.local/bench-footage');

/** Null where the models and the clip are not on this machine; STREET_DIR is the folder of the models, else the manifest's. */
export async function streetFootage(): Promise<StreetFootage | null> {
  const manifest = JSON.parse(await readFile(join(PACK, 'manifest.json'), 'utf8')) as { filesRoot: string };
  const given = process.env['STREET_DIR'];
  const models = given === undefined ? resolve(PACK, manifest.filesRoot) : resolve(given);
  const expected = join(models, 'expected-detections.json');
  if (!existsSync(expected)) return null;
  const { video } = JSON.parse(await readFile(expected, 'utf8')) as { video: string };
  const clip = resolve(models, '../../videos', video);
  if (given === undefined) return { pack: PACK, models, clip };
  const pack = join(MADE, 'pack');
  await mkdir(pack, { recursive: true });
  await writeFile(join(pack, 'manifest.json'), JSON.stringify({ ...manifest, filesRoot: models }));
  return { pack, models, clip };
}

/** The clip again and again, its packets copied, for so long. */
export async function loopOf(clip: string, seconds: number): Promise<string> {
  const input = ['-stream_loop', '-1', '-i', clip];
  return await madeOnce(`street-${seconds}s.mp4`, [...input, '-t', String(seconds), '-c', 'copy']);
}

/** The first picture of the clip as a file of its own. */
export async function firstFrameOf(clip: string): Promise<string> {
  return await madeOnce('street-one-frame.mp4', ['-i', clip, '-frames:v', '1', '-c:v', 'libx264']);
}

/** The clip scaled to 1920x1080, its 10 frames/s kept. */
export async function fullHdOf(clip: string): Promise<string> {
  const encoder = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '21', '-pix_fmt', 'yuv420p'];
  return await madeOnce('street-1080p.mp4', ['-i', clip, '-an', '-vf', 'scale=1920:1080:flags=bicubic', ...encoder]);
}

/** A file that ffmpeg makes with these arguments, kept under `.local`; one that is only half made has another name. */
async function madeOnce(name: string, args: readonly string[]): Promise<string> {
  const file = join(MADE, name);
  if (existsSync(file)) return file;
  await mkdir(MADE, { recursive: true });
  const making = join(MADE, `making-${process.pid}.mp4`);
  await makeMedia([...args, making]);
  await rename(making, file);
  return file;
}
