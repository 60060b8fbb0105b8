import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startLimited, type ChildLimits } from '../../../src/video/tools/child-process.ts';
import { readInto, type ByteSink } from '../../../src/video/tools/byte-sink.ts';
import { MEETING_FOLDER, openSocketPair } from '../../../src/video/tools/socket-pair.ts';
import { openDescriptors, openedSince } from '../../harness/descriptors.ts';
import { outcomesWithFewDescriptors } from '../../harness/few-descriptors.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';

const NONE: ChildLimits = { cpuSeconds: null, memoryBytes: null };
const never = new AbortController().signal;
const SOURCE = join(import.meta.dirname, '..', '..', '..', 'src', 'video', 'tools');
let folder: TemporaryFolder;
let descriptorsBefore: ReadonlyMap<string, string>;

beforeAll(async () => {
  folder = await temporaryFolder('pairs');
  // What the first one loads stays open.
  await run('true');
});
beforeEach(async () => {
  descriptorsBefore = await openDescriptors();
});
afterEach(async () => {
  expect(await openedSince(descriptorsBefore)).toEqual([]);
  expect((await readdir(folder.path)).filter((name) => name.startsWith(MEETING_FOLDER))).toEqual([]);
});
afterAll(() => folder.remove());

/** Reads into memory of its own, so many bytes at a time. */
function collect(room = 1000): ByteSink & { readonly text: () => string } {
  const memory = new Uint8Array(new SharedArrayBuffer(room));
  let text = '';
  return {
    room: () => memory,
    filled: (bytes) => {
      text += Buffer.from(memory.subarray(0, bytes)).toString();
      return true;
    },
    text: () => text,
  };
}

/** A pair whose near end reads into the sink. */
async function open(sink: ByteSink, signal = never, folders: readonly string[] = [folder.path]) {
  const made: Socket[] = [];
  const connectTo = (path: string): Socket => {
    const socket = readInto(path, sink);
    made.push(socket);
    return socket;
  };
  const { far } = await openSocketPair(connectTo, signal, folders);
  return { near: made[0]!, far };
}

async function run(script: string, sink = collect()): Promise<string> {
  const pair = await open(sink);
  const child = await startLimited('/bin/sh', ['-c', script], folder.path, NONE, { output: pair });
  if (!pair.near.closed) await once(pair.near, 'close');
  await child.exited;
  await child.stop();
  return sink.text();
}

describe('a pair of sockets', () => {
  test('brings what a child writes into the memory that it is given, to the last byte, and then its end', async () => {
    expect(await run('printf abc; seq 1 20000', collect(777))).toBe(
      `abc${Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join('')}`,
    );
  });

  test('waits while nobody wants more, and the child with it', async () => {
    const sink = collect();
    const stopping = { ...sink, filled: (bytes: number) => sink.filled(bytes) && false };
    const pair = await open(stopping);
    const child = await startLimited('/bin/sh', ['-c', 'seq 1 100000; echo last >&2'], folder.path, NONE, {
      output: pair,
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    while (sink.text() === '') await new Promise(setImmediate);
    expect([sink.text().length, said]).toEqual([1000, '']);
    while (!pair.near.closed) {
      pair.near.resume();
      await new Promise(setImmediate);
    }
    await child.exited;
    expect(sink.text().endsWith('\n99999\n100000\n')).toBe(true);
    await child.stop();
  });

  test('leaves the child its limits: no byte goes into a file', async () => {
    expect(await run('echo through the socket; echo into a file >written; wc -c <written')).toMatch(
      /^through the socket/,
    );
    expect(await run('wc -c <written')).toMatch(/^\s*0\n$/);
  });

  test('is closed when the child does not start', async () => {
    const pair = await open(collect());
    const started = startLimited('/bin/true', [], folder.at('nowhere'), NONE, { output: pair });
    await expect(started).rejects.toMatchObject({ code: 'DECODER_INTERRUPTED' });
    expect([pair.near.destroyed, pair.far.destroyed]).toEqual([true, true]);
  });

  test('is not there when the signal fires, whenever it does, and the reason says why', async () => {
    const reason = new Error('enough');
    const outcomes = new Set<string>();
    for (let turns = 0; turns < 40; turns++) {
      const abort = new AbortController();
      if (turns === 0) abort.abort(reason);
      const opening = open(collect(), abort.signal).then(
        ({ near, far }) => {
          near.destroy();
          far.destroy();
          return 'opened';
        },
        (error: unknown) => (error === reason ? 'the reason' : String(error)),
      );
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      abort.abort(reason);
      outcomes.add(await opening);
    }
    expect([...outcomes].filter((outcome) => outcome !== 'opened')).toEqual(['the reason']);
  });
});

describe('the folder in which two sockets meet', () => {
  const LONG = 'x'.repeat(100);

  test.each([
    ['its path is too long for the address of a socket', [LONG]],
    ['it is not there', ['nowhere']],
    ['it is no folder', ['file']],
  ])('is the next one where %s', async (_why, names) => {
    await mkdir(folder.at(LONG), { recursive: true });
    await writeFile(folder.at('file'), '');
    const folders = [...names.map((name) => folder.at(name)), folder.path];
    const { near, far } = await open(collect(), never, folders);
    near.destroy();
    far.destroy();
  });

  test('is named where none will do', async () => {
    const absent = open(collect(), never, [folder.at('nowhere'), folder.at(LONG)]);
    await expect(absent).rejects.toMatchObject({ code: 'HOST_FAULT', message: expect.stringContaining('nowhere') });
    const long = open(collect(), never, [folder.at(LONG)]);
    await expect(long).rejects.toMatchObject({ code: 'HOST_FAULT', message: expect.stringContaining('set TMPDIR') });
  });
});

test('where descriptors run out the host is at fault, and none is lost', async () => {
  const outcomes = await outcomesWithFewDescriptors(folder.at('few.mjs'), {
    setUp: `import { readInto } from ${JSON.stringify(join(SOURCE, 'byte-sink.ts'))};
    import { openSocketPair } from ${JSON.stringify(join(SOURCE, 'socket-pair.ts'))};
    const sink = { room: () => new Uint8Array(9), filled: () => true };`,
    open: `() => openSocketPair((path) => readInto(path, sink), new AbortController().signal, [${JSON.stringify(folder.path)}])
      .then(({ near, far }) => { near.destroy(); far.destroy(); return 'opened'; }, (error) => error.code ?? String(error))`,
    mostFree: 12,
  });
  expect(outcomes).toEqual(['HOST_FAULT', 'opened']);
});
