import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';
import { makeMedia } from '../harness/media.ts';

/** Parts of the demo scene: people come and go, a fall, two grabs. */
const PARTS = [
  { name: 'fall', from: 14.6, seconds: 1.4 },
  { name: 'grab', from: 24, seconds: 2 },
  { name: 'walk', from: 6, seconds: 2.6 },
] as const;
/** So often the last part, one after another: its analysis takes several renewals of a lease of ten seconds. */
const REPETITIONS = 20;
/** Of the long clip. */
export const LONG = 'long';

export interface Clip {
  readonly name: string;
  readonly file: string;
  readonly bytes: Buffer;
}

/** Renders the short videos of a run, and a long one. */
export async function renderClips(folder: string): Promise<Clip[]> {
  const short = await Promise.all(
    PARTS.map(async ({ name, from, seconds }) => {
      const file = join(folder, `${name}.mp4`);
      await renderVideo(file, AbortSignal.timeout(60_000), seconds, from);
      return await clipOf(name, file);
    }),
  );
  const part = short.at(-1)?.file ?? '';
  const file = join(folder, `${LONG}.mp4`);
  await makeMedia(['-stream_loop', String(REPETITIONS - 1), '-i', part, '-c', 'copy', '-fflags', '+bitexact', file]);
  return [...short, await clipOf(LONG, file)];
}

async function clipOf(name: string, file: string): Promise<Clip> {
  return { name, file, bytes: await readFile(file) };
}
