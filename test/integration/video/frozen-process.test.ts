import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeSmallVideo, mediaFolder } from '../../harness/media.ts';
import { owned } from '../../harness/ownership.ts';
import { childrenOf, descendantsOf } from '../../harness/processes.ts';
import { SMALL_VIDEO_DECODING, SMALL_VIDEO_LIMITS } from '../../harness/small-videos.ts';
import type { TemporaryFolder } from '../../harness/temporary-folder.ts';

const STALL_MS = 1_500;
/** Longer than the limit, and than a busy event loop would ever be late. */
const FREEZE_MS = 2_500;
const SOURCE = join(import.meta.dirname, '../../../src/video');
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await mediaFolder();
  await makeSmallVideo(folder.at('video.mp4'));
  // Each tool begins once its gate is open.
  for (const tool of ['ffprobe', 'ffmpeg']) {
    const script = `#!/bin/sh\nuntil [ -e ${folder.at(`${tool}-may-begin`)} ]; do sleep 0.05; done\nexec ${tool} "$@"\n`;
    await writeFile(folder.at(tool), script, { mode: 0o755 });
  }
  await writeFile(folder.at('decoder.mjs'), program());
});
afterAll(() => folder.remove());

/** A process of its own, which can be stopped: it probes, decodes, and says how far it has come. */
function program(): string {
  const from = (file: string): string => JSON.stringify(pathToFileURL(join(SOURCE, file)).href);
  const limits = { ...SMALL_VIDEO_LIMITS, timeoutMs: STALL_MS };
  const { pool: _, ...decoding } = SMALL_VIDEO_DECODING;
  const options = { ...decoding, stallTimeoutMs: STALL_MS, wallTimeoutMs: STALL_MS };
  return `
    import { probeVideo } from ${from('probe/probe.ts')};
    import { decodeFrames } from ${from('decode/decode.ts')};
    import { createFramePool } from ${from('frames/frame-pool.ts')};
    const tools = { ffmpeg: ${JSON.stringify(folder.at('ffmpeg'))}, ffprobe: ${JSON.stringify(folder.at('ffprobe'))} };
    const never = new AbortController().signal;
    try {
      const info = await probeVideo(tools, ${JSON.stringify(folder.at('video.mp4'))}, ${JSON.stringify(limits)}, never);
      console.log('probed');
      let frames = 0;
      const options = { ...${JSON.stringify(options)}, pool: createFramePool() };
      for await (const _ of decodeFrames(tools, ${JSON.stringify(folder.at('video.mp4'))}, info, options, never)) frames += 1;
      console.log('frames ' + frames);
    } catch (error) {
      console.log(error.code + ' ' + error.message);
    }
  `;
}

test('a process that is frozen for longer than its limits goes on with the video when it runs again', async () => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', folder.at('decoder.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const end = owned('the process that decodes', async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (const [tool, answer] of [
    ['ffprobe', 'probed'],
    ['ffmpeg', 'frames 3'],
  ] as const) {
    await untilWaitedFor(child.pid ?? 0, tool);
    child.kill('SIGSTOP');
    // The time that passes is what is tested: no event tells of it.
    await new Promise((resolve) => setTimeout(resolve, FREEZE_MS));
    child.kill('SIGCONT');
    await writeFile(folder.at(`${tool}-may-begin`), '');
    expect((await lines.next()).value).toBe(answer);
  }
  await end();
});

async function untilWaitedFor(pid: number, tool: string): Promise<void> {
  for (;;) {
    const all = await descendantsOf(pid);
    if (all.some(({ commandLine }) => commandLine.includes(folder.at(tool)))) return;
    expect((await childrenOf()).some((mine) => mine.pid === pid)).toBe(true);
  }
}
