import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkTools } from '../../../src/video/check/check-tools.ts';
import { locateFfmpeg, type FfmpegTools } from '../../../src/video/tools/ffmpeg-binary.ts';
import { mediaFolder } from '../../harness/media.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const never = new AbortController().signal;
let folder: TemporaryFolder;
let tools: FfmpegTools;

beforeAll(async () => {
  folder = await mediaFolder();
  tools = await locateFfmpeg({ ffmpegPath: null, ffprobePath: null });
});
afterAll(() => folder.remove());

async function stub(name: string, script: string): Promise<string> {
  const path = folder.at(name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o700);
  return path;
}

test('the tools of this machine pass', async () => {
  await expect(checkTools(tools, folder.path, 1, never)).resolves.toBeUndefined();
  await rm(folder.at('check'));
  expect(await readdir(folder.path)).toEqual([]);
});

test.each([
  ['fails without a word', 'ffprobe', 'exit 1'],
  [
    'takes every file for noise',
    'ffprobe',
    'echo "[error] file:x: Invalid data found when processing input" >&2; exit 1',
  ],
  ['ends well and says nothing', 'ffprobe', 'exit 0'],
  ['ends well and says nothing', 'ffmpeg', 'exit 0'],
  ['crashes on everything', 'ffmpeg', 'kill -SEGV $$'],
  ['makes other frames', 'ffmpeg', 'ffmpeg "$@" | tr "\\000" "\\377"'],
])('one that %s is broken: %s', async (_what, name, script) => {
  const broken = { ...tools, [name]: await stub(name, script) };
  await expect(checkTools(broken, folder.path, 1, never)).rejects.toMatchObject({
    code: 'TOOL_BROKEN',
    class: 'system',
  });
});

test('one that hangs is cut off by the signal, and that says nothing of it', async () => {
  const hanging = { ...tools, ffprobe: await stub('hanging', 'echo begun >&2; exec sleep 1000') };
  const controller = new AbortController();
  const check = checkTools(hanging, folder.path, 1, controller.signal);
  controller.abort(new Error('late'));
  await expect(check).rejects.toThrow('late');
});
