import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { preparePack } from '../../../src/preparation/prepare-pack.ts';
import { bareEnvironment } from '../../harness/bare-environment.ts';
import { owned } from '../../harness/ownership.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

/** Between looks: a command takes a second to begin, and a pack many times this to be made. */
const LOOK_MS = 2;

let folder: TemporaryFolder;

beforeEach(async () => {
  folder = await temporaryFolder('stopped');
});

afterEach(() => folder.remove());

/** Resolves when the unfinished pack has a file of this name; whoever waits has the limit. */
async function untilWritten(name: string): Promise<void> {
  for (;;) {
    const [partial] = (await readdir(folder.path)).filter((entry) => entry.startsWith('pack.partial-'));
    if (partial !== undefined && (await readdir(folder.at(partial))).includes(name)) return;
    await setTimeout(LOOK_MS);
  }
}

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('a command that %s stops leaves nothing behind', async (name) => {
  const command = ['src/cli/video-worker.ts', 'models', 'prepare', 'models/demo', '--out', folder.at('pack')];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...command], {
    env: bareEnvironment(),
    stdio: 'ignore',
  });
  const closed = once(child, 'close');
  const end = owned('the command that is stopped', async () => {
    child.kill('SIGKILL');
    await closed;
  });
  await untilWritten('detector.onnx');
  child.kill(name);
  // As if nobody had listened: who started it sees by what it was stopped.
  expect(await closed).toEqual([null, name]);
  await end();
  expect(await readdir(folder.path)).toEqual([]);
});

test('what was written is gone when the stop returns, and the work ends with its reason', async () => {
  const stop = new AbortController();
  const preparing = preparePack('models/demo', folder.at('pack'), stop.signal);
  const ended = expect(preparing).rejects.toThrow('stopped by a test');
  await untilWritten('prepared_detection.onnx');
  const [partial] = await readdir(folder.path);
  stop.abort(new Error('stopped by a test'));
  expect(await readdir(folder.path)).not.toContain(partial);
  await ended;
  expect(await readdir(folder.path)).toEqual([]);
});

test('a stop after the end takes nothing away', async () => {
  const stop = new AbortController();
  await preparePack('models/demo', folder.at('pack'), stop.signal);
  stop.abort();
  expect(await readdir(folder.path)).toEqual(['pack']);
});

test('who is stopped before it has begun writes nothing', async () => {
  await expect(preparePack('models/demo', folder.at('pack'), AbortSignal.abort(new Error('no')))).rejects.toThrow('no');
  expect(await readdir(folder.path)).toEqual([]);
});
