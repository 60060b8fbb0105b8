import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';

/**
 * As `renderVideo`, but in a run of the tests each part of the scene is rendered once, and whoever wants it later has a copy. Two who ask at
 * the same time both render: the same bytes, of which the last ones stay.
 */
export async function renderOnce(out: string, signal: AbortSignal, seconds: number, from: number): Promise<void> {
  const folder = process.env['TEST_RUN_FOLDER'];
  if (folder === undefined) {
    await renderVideo(out, signal, seconds, from);
    return;
  }
  const kept = join(folder, `scene-${from}-${seconds}.mp4`);
  if (existsSync(kept)) {
    await copyFile(kept, out);
    return;
  }
  await renderVideo(out, signal, seconds, from);
  const copy = `${kept}.${randomUUID()}`;
  await copyFile(out, copy);
  await rename(copy, kept);
}
