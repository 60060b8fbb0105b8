import { chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { canBeOther, OTHER_UID } from '../harness/as-user.ts';
import { backendMessage, startDaemonGround, type DaemonGround } from '../harness/daemon-ground.ts';
import { DaemonProcess } from '../harness/daemon-process.ts';
import { canHaveOwnPids, IN_ITS_OWN_PIDS } from '../harness/own-pids.ts';
import { OwnTools } from '../harness/own-tools.ts';
import { filesInWorkDir } from '../harness/work-folders.ts';

const START_WORKER = resolve(import.meta.dirname, '../../src/cli/start-worker.ts');
const asRoot = canBeOther ? test : test.skip;
const inTwoContainers = canHaveOwnPids() ? test : test.skip;
const POLLING = /"msg":"polling"/;
const REMOVED = /"removed":1,.*"msg":"folders of workers that are gone were removed"/;
let ground: DaemonGround;
let tools: OwnTools;

beforeAll(async () => {
  ground = await startDaemonGround();
  tools = await OwnTools.make(ground.folder.at('tools'));
});
afterAll(async () => {
  await ground?.[Symbol.asyncDispose]();
});

/** A program that starts the worker in a pid namespace of its own. */
async function containerised(): Promise<string> {
  const file = ground.folder.at('in-container');
  const worker = `${process.execPath} --disable-warning=ExperimentalWarning ${START_WORKER}`;
  await writeFile(file, `#!/bin/sh\nexec ${IN_ITS_OWN_PIDS.join(' ')} ${worker}\n`, { mode: 0o755 });
  return file;
}

inTwoContainers(
  'a worker in another container that shares the work folder leaves alone what the first works on',
  async () => {
    await using lane = await ground.lane('first', 5);
    await using other = await ground.lane('second', 5);
    const WORK_DIR = ground.folder.at('shared');
    const first = ground.start(lane, { ...tools.env, WORK_DIR });
    await first.says(POLLING);
    // A start tries them itself.
    const decoder = await tools.holdBack('ffmpeg');
    await ground.put('shared.mp4');
    await lane.send(backendMessage('shared-1', 'shared.mp4'));
    await decoder.begun();
    const atWork = await filesInWorkDir(WORK_DIR);
    expect(atWork).toHaveLength(1);
    {
      await using second = new DaemonProcess({ env: ground.env(other, { WORK_DIR }), entry: await containerised() });
      await second.says(POLLING);
      expect(second.words).not.toMatch(REMOVED);
      expect(await filesInWorkDir(WORK_DIR)).toEqual(atWork);
      expect(await readdir(WORK_DIR)).toHaveLength(2);
    }
    await decoder.open();
    await first.says(/"msg":"analysis stored"/);
    expect(await ground.status('shared-1')).toMatchObject({ status: 'completed', attempts: 1 });
    expect(await first.stop('SIGTERM')).toBe(0);
    await tools.mend();
    // The second was killed: the next one to start clears up after it.
    const third = ground.start(lane, { WORK_DIR });
    await third.says(POLLING);
    expect(third.words).toMatch(REMOVED);
    expect(await third.stop('SIGTERM')).toBe(0);
    expect(await readdir(WORK_DIR)).toEqual([]);
  },
);

test('what a worker that was killed at work has left is removed by the next, which does its work', async () => {
  await using lane = await ground.lane('killed', 5);
  const WORK_DIR = ground.folder.at('killed');
  const first = ground.start(lane, { ...tools.env, WORK_DIR });
  await first.says(POLLING);
  // A start tries them itself.
  const decoder = await tools.holdBack('ffmpeg');
  await ground.put('killed.mp4');
  const id = await lane.send(backendMessage('killed-1', 'killed.mp4'));
  await decoder.begun();
  expect(await first.stop('SIGKILL')).toBe('SIGKILL');
  await decoder.open();
  await tools.mend();
  expect(await filesInWorkDir(WORK_DIR)).toHaveLength(1);
  await lane.endLease(id);
  const second = ground.start(lane, { WORK_DIR });
  await second.says(/"msg":"analysis stored"/);
  expect(second.words).toMatch(REMOVED);
  expect(await second.stop('SIGTERM')).toBe(0);
  expect(await readdir(WORK_DIR)).toEqual([]);
});

// One of its own that others can write is no better: test/integration/storage/private-folder.test.ts, and looking.test.ts beside this.
asRoot("a worker does not start on another user's folder", async () => {
  await using lane = await ground.lane('refused', 5);
  const work = ground.folder.at('his');
  await mkdir(work, { mode: 0o700 });
  await chown(work, OTHER_UID, OTHER_UID);
  const onHis = ground.start(lane, { WORK_DIR: work });
  expect(await onHis.ended).toBe(2);
  expect(onHis.words).toMatch(/FAIL work directory .*belongs to uid 64321 \(mode 0700\); it must belong to uid 0/);
  expect(await readdir(work)).toEqual([]);
});
