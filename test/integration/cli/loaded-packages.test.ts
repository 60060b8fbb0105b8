import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { bareEnvironment } from '../../harness/bare-environment.ts';
import { runProgram } from '../../harness/run-program.ts';
import { makeSmallVideo } from '../../harness/media.ts';

interface Loaded {
  readonly isMainThread: boolean;
  readonly packages: readonly string[];
}

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'loaded-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** What each thread of a command has loaded, the main thread last. */
async function loadedBy(entry: string, args: readonly string[]): Promise<readonly Loaded[]> {
  const file = join(directory, 'loaded.jsonl');
  const hook = resolve('test/harness/tell-loaded.ts');
  const node = ['--disable-warning=ExperimentalWarning', '--import', hook, `src/cli/${entry}.ts`, ...args];
  const env = { ...bareEnvironment(), DEVICE: 'cpu', SCENE: 'off', LOADED_FILE: file };
  expect(await runProgram(process.execPath, node, { env, timeoutMs: 170_000 })).toMatchObject({ code: 0 });
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Loaded);
}

test.each(['video-worker', 'start-worker'])(
  '%s answers its help and its version with commander alone',
  async (entry) => {
    for (const question of ['--version', '--help']) {
      expect(await loadedBy(entry, [question])).toEqual([{ isMainThread: true, packages: ['commander'] }]);
      await rm(join(directory, 'loaded.jsonl'));
    }
  },
);

test('an analysis of a file loads the runtime in its model threads alone, and nothing that it does not use', async () => {
  const video = join(directory, 'short.mp4');
  await makeSmallVideo(video, 1);
  const threads = await loadedBy('video-worker', ['analyze', video]);
  const loaded = (isMain: boolean): readonly string[] =>
    threads.filter(({ isMainThread }) => isMainThread === isMain).flatMap(({ packages }) => packages);
  expect(loaded(false)).toContain('onnxruntime-node');
  expect(loaded(true)).not.toContain('onnxruntime-node');
  for (const name of ['zod', 'commander', 'pino', 'sharp']) expect(loaded(false)).not.toContain(name);
  const unused = /^@aws|^@smithy|^@prisma|^@electric|^pg$|^sharp$|^protobufjs$|^long$|^@huggingface/;
  expect(loaded(true).filter((name) => unused.test(name))).toEqual([]);
  // One of the two reads texts.
  expect(loaded(false).filter((name) => name === '@huggingface/tokenizers')).toHaveLength(1);
});
