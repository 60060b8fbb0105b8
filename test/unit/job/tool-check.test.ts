import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { ToolCheck, type JudgedFile } from '../../../src/job/tool-check.ts';
import { WorkFolder } from '../../../src/storage/work-folder.ts';
import { HandClock } from '../../harness/hand-clock.ts';
import { filesInWorkDir } from '../../harness/work-folders.ts';
import { temporaryFolder, type TemporaryFolder } from '../../harness/temporary-folder.ts';
import { aborted } from '../../harness/worker-events.ts';

const never = new AbortController().signal;
const VERDICT = new Failure('NOT_A_VIDEO', 'ffprobe cannot read the file as a video');
let folder: TemporaryFolder;
let work: WorkFolder;
let file: JudgedFile;

beforeAll(async () => {
  folder = await temporaryFolder('tool-check');
  work = new WorkFolder(folder.at('work'));
  file = { path: folder.at('video'), sizeBytes: 5 };
  await writeFile(file.path, 'noise');
});
afterAll(async () => {
  await work[Symbol.asyncDispose]();
  await folder.remove();
});

type Check = (folder: string, signal: AbortSignal) => Promise<void>;
const checking = (check: Check, clock = new HandClock()): ToolCheck => new ToolCheck({ folder: work, check, clock });
const judge = (tools: ToolCheck, error: unknown, judged = file, signal = never): Promise<unknown> =>
  tools.doubting(judged, signal, () => Promise.reject(error)).catch((reason: unknown) => reason);

test('a verdict stands when the tools are sound, and nothing is left of the check', async () => {
  expect(
    await judge(
      checking(async () => undefined),
      VERDICT,
    ),
  ).toBe(VERDICT);
  expect(await filesInWorkDir(work.root)).toEqual([]);
});

test('work that succeeds, and failures that the tools have no part in, cost no check', async () => {
  const tools = checking(() => Promise.reject(new Error('nobody asked')));
  expect(await tools.doubting(file, never, async () => 'done')).toBe('done');
  for (const code of ['OBJECT_CHANGED', 'NETWORK', 'TOOL_BROKEN', 'JOB_DEADLINE'] as const) {
    const failure = new Failure(code, 'x');
    expect(await judge(tools, failure)).toBe(failure);
  }
});

test('a verdict of broken tools becomes their failure, and says what was doubted', async () => {
  const tools = checking(() => Promise.reject(new Failure('TOOL_BROKEN', 'no library')));
  expect(await judge(tools, VERDICT)).toMatchObject({
    code: 'TOOL_BROKEN',
    details: { doubted: 'NOT_A_VIDEO' },
    cause: VERDICT,
  });
});

test('a check that cannot be made because of the host is the fault of the host', async () => {
  const tools = checking(() => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'write' })));
  expect(await judge(tools, VERDICT)).toMatchObject({ code: 'HOST_FAULT' });
});

test('a check that does not end in time says nothing, and the verdict is not believed', async () => {
  const clock = new HandClock();
  const begun = Promise.withResolvers<void>();
  const tools = checking(async (_folder, signal) => {
    begun.resolve();
    await aborted(signal);
    signal.throwIfAborted();
  }, clock);
  const judged = judge(tools, VERDICT);
  await begun.promise;
  await clock.advance(60_000);
  expect(await judged).toMatchObject({ code: 'DECODER_INTERRUPTED', class: 'temporary' });
});

test('verdicts share a check that begins after them, and never one that was under way', async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const tools = checking(async () => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    begun[gates.length - 1]?.resolve();
    await gate.promise;
  });
  const first = judge(tools, VERDICT);
  await begun[0].promise;
  const others = Promise.all([judge(tools, VERDICT), judge(tools, VERDICT), judge(tools, VERDICT)]);
  while (tools.waiting < 4) await new Promise((resolve) => setImmediate(resolve));
  gates[0]?.resolve();
  expect(await first).toBe(VERDICT);
  await begun[1].promise;
  gates[1]?.resolve();
  expect(await others).toEqual([VERDICT, VERDICT, VERDICT]);
  expect(gates).toHaveLength(2);
});

test('a job that is interrupted while it waits for a check ends the check that nobody waits for any more', async () => {
  const controller = new AbortController();
  const begun = Promise.withResolvers<void>();
  const tools = checking(async (_folder, signal) => {
    begun.resolve();
    await aborted(signal);
    signal.throwIfAborted();
  });
  const judged = judge(tools, VERDICT, file, controller.signal);
  await begun.promise;
  controller.abort(new Error('drained'));
  expect(await judged).toMatchObject({ message: 'drained' });
});

test.each([
  ['is gone', { path: 'gone', sizeBytes: 5 }],
  ['is shorter', { path: 'video', sizeBytes: 6 }],
])('a verdict about a file that %s since its download is not believed', async (_what, { path, sizeBytes }) => {
  const judged = await judge(
    checking(async () => undefined),
    VERDICT,
    { path: folder.at(path), sizeBytes },
  );
  expect(judged).toMatchObject({ code: 'DECODER_INTERRUPTED', details: { doubted: 'NOT_A_VIDEO' } });
});

test('a file that the disk cannot give back is the fault of the host', async () => {
  const judged = await judge(
    checking(async () => undefined),
    VERDICT,
    { path: '/proc/self/mem', sizeBytes: 0 },
  );
  expect(judged).toMatchObject({ code: 'HOST_FAULT', class: 'system' });
});
