import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';

/** Parts of the demo scene: people come and go, a fall, two grabs. */
const PARTS = [
  { name: 'fall', from: 14.6, seconds: 1.4 },
  { name: 'grab', from: 24, seconds: 2 },
  { name: 'walk', from: 6, seconds: 2.6 },
] as const;

export interface Clip {
  readonly name: string;
  readonly file: string;
  readonly bytes: Buffer;
}

/** Renders the short videos of a run. */
export async function renderClips(folder: string): Promise<Clip[]> {
  return await Promise.all(
    PARTS.map(async ({ name, from, seconds }) => {
      const file = join(folder, `${name}.mp4`);
      await renderVideo(file, AbortSignal.timeout(60_000), seconds, from);
      return { name, file, bytes: await readFile(file) };
    }),
  );
}
