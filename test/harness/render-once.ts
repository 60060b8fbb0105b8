import { copyFile } from 'node:fs/promises';
import { renderVideo } from '../../models/demo-pack/scene/render.ts';
import { onceIn, runFolder } from './once-in-run.ts';

/** As `renderVideo`, but in a run of the tests each part of the scene is rendered once, and whoever wants it has a copy. */
export async function renderOnce(out: string, signal: AbortSignal, seconds: number, from: number): Promise<void> {
  const folder = runFolder();
  if (folder === null) {
    await renderVideo(out, signal, seconds, from);
    return;
  }
  const name = `scene-${from}-${seconds}.mp4`;
  await copyFile(await onceIn(folder, name, (path) => renderVideo(path, signal, seconds, from)), out);
}
