import { mkdir, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { backendMessage, startDaemonGround, type DaemonGround, type Lane } from '../../harness/daemon-ground.ts';
import type { DaemonProcess } from '../../harness/daemon-process.ts';
import { OwnTools } from '../../harness/own-tools.ts';

let ground: DaemonGround;
let tools: OwnTools;

beforeAll(async () => {
  ground = await startDaemonGround();
  tools = await OwnTools.make(ground.folder.at('tools'));
});
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]();
});

async function start(lane: Lane, more: Readonly<Record<string, string>> = {}): Promise<DaemonProcess> {
  const daemon = ground.start(lane, { ...tools.env, ...more });
  await daemon.says(/"msg":"polling"/);
  return daemon;
}

async function sendGood(lane: Lane, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await ground.put(`${id}.mp4`);
    await lane.send(backendMessage(id, `${id}.mp4`));
  }
}

/** A daemon on a sound host completes them all, and the dead-letter queue has stayed empty. */
async function expectAllGood(lane: Lane, ids: readonly string[], more = {}): Promise<void> {
  const daemon = await start(lane, more);
  await daemon.says(/"msg":"analysis stored"/, ids.length);
  expect(await daemon.stop('SIGTERM')).toBe(0);
  expect(await Promise.all(ids.map(async (id) => (await ground.status(id))?.status))).toEqual(
    ids.map(() => 'completed'),
  );
  expect(await lane.depth()).toEqual({ visible: 0, held: 0 });
  expect(await lane.deadLetters()).toEqual([]);
}

// Each other way to break is in test/integration/job/host-faults.test.ts.
test('tools that break after the start end the worker with 3, time after time, and no good video is lost to them', async () => {
  await using lane = await ground.lane('tools', 5);
  const attacks = [
    { breakIt: () => tools.remove('ffprobe'), code: 'FFMPEG_MISSING' },
    { breakIt: () => tools.becomes('ffmpeg', 'kill -KILL $$'), code: 'TOOL_BROKEN' },
  ];
  const ids = ['tool-1', 'tool-2'];
  for (const [index, { breakIt, code }] of attacks.entries()) {
    await tools.mend();
    const daemon = await start(lane);
    await breakIt();
    await sendGood(lane, ids.slice(index, index + 1));
    expect([code, await daemon.ended]).toEqual([code, 3]);
    expect(daemon.words).toContain(`"code":"${code}"`);
    expect(await lane.depth()).toEqual({ visible: index + 1, held: 0 });
  }
  // Nor does starting again cost receives while they stay broken.
  const again = ground.start(lane, tools.env);
  expect(await again.ended).toBe(2);
  expect(again.words).toMatch(/FAIL ffmpeg/);
  expect(await lane.depth()).toEqual({ visible: ids.length, held: 0 });
  await tools.mend();
  await expectAllGood(lane, ids);
});

test('a work folder that turned into a file ends the worker with 3, a start on it with 2, and no good video is lost to it', async () => {
  await using lane = await ground.lane('folder', 5);
  const work = ground.folder.at('lost-work');
  const daemon = await start(lane, { WORK_DIR: work });
  await rm(work, { recursive: true, force: true });
  await writeFile(work, 'in the way');
  await sendGood(lane, ['folder-1', 'folder-2']);
  expect(await daemon.ended).toBe(3);
  expect(daemon.words).toContain('"code":"HOST_FAULT"');
  expect(await lane.depth()).toEqual({ visible: 2, held: 0 });

  const again = ground.start(lane, { ...tools.env, WORK_DIR: work });
  expect(await again.ended).toBe(2);
  expect(again.words).toMatch(/FAIL work directory/);
  await rm(work);
  await mkdir(work);
  await expectAllGood(lane, ['folder-1', 'folder-2'], { WORK_DIR: work });
});

test('a worker that was frozen for longer than a decoder may be silent goes on where it was', async () => {
  await using lane = await ground.lane('frozen', 5);
  const daemon = await start(lane, { DECODE_STALL_SECONDS: '2', CONCURRENCY: '1' });
  const decoder = await tools.holdBack('ffmpeg');
  await sendGood(lane, ['frozen-1']);
  await decoder.begun();
  daemon.signal('SIGSTOP');
  // The length of the pause is the fault itself.
  await pause(3_000);
  daemon.signal('SIGCONT');
  await decoder.open();
  await daemon.says(/"msg":"analysis stored"/);
  expect(await daemon.stop('SIGTERM')).toBe(0);
  expect(await ground.status('frozen-1')).toMatchObject({ status: 'completed', attempts: 1 });
  expect([...lane.receives.values()]).toEqual([1]);
  expect(await lane.deadLetters()).toEqual([]);
  await tools.mend();
});
