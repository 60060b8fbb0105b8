import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_CODES } from '../../src/worker/exit-codes.ts';
import {
  backendMessage,
  startDaemonGround,
  storageEvent,
  type DaemonGround,
  type Lane,
} from '../harness/daemon-ground.ts';
import { runVideoWorker } from '../harness/operator-command.ts';
import type { Ended } from '../harness/run-program.ts';

let ground: DaemonGround;
let lane: Lane;
let DATABASE_URL: string;

beforeAll(async () => {
  ground = await startDaemonGround();
  lane = await ground.lane('least', 5);
  await promisify(execFile)('psql', [ground.postgres.url, '-X', '-q', '-f', 'prisma/roles/worker.sql']);
  DATABASE_URL = ground.postgres.url.replace('worker@', 'video_worker_app@');
}, 120_000);
afterAll(async () => {
  await lane?.[Symbol.asyncDispose]();
  await ground?.[Symbol.asyncDispose]();
});

const command = (...args: readonly string[]): Promise<Ended> =>
  runVideoWorker(args, ground.env(lane, { DATABASE_URL }));

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(100);
}

test('a daemon does its work with the rights of a worker alone, and so do the commands', async () => {
  await ground.put('a.mp4');
  await ground.put('b.mp4', ground.otherClip);
  await ground.put('c.mp4', 'no video at all');
  await using daemon = ground.start(lane, { DATABASE_URL, MIGRATE_ON_START: 'on' });
  await lane.send(backendMessage('id-a', 'a.mp4'));
  await lane.send(storageEvent('b.mp4'));
  await lane.send(backendMessage('id-c', 'c.mp4'));
  await lane.send(backendMessage('id-d', 'not-there.mp4'));
  await lane.send('not json');
  await until(async () => {
    if (daemon.end !== null) throw new Error(`the daemon ended with ${daemon.end}:\n${daemon.words}`);
    const { visible, held } = await lane.depth();
    return visible + held === 0 && (await ground.status('id-a'))?.status === 'completed';
  });
  expect(await ground.status('id-c')).toMatchObject({ status: 'failed' });
  expect(await ground.status('id-d')).toMatchObject({ status: 'failed', failureCode: 'OBJECT_NOT_FOUND' });
  expect(daemon.words).not.toMatch(/permission denied/);
  expect((await lane.deadLetters()).length).toBe(3);
  expect(await ground.database.prisma.errorEvent.count()).toBe(3);
  expect(await daemon.stop('SIGTERM')).toBe(EXIT_CODES.CLEAN);
  expect(await command('status', 'id-a')).toMatchObject({ code: 0, stdout: expect.stringContaining('completed') });
  expect((await command('status')).stdout.trim().split('\n')).toHaveLength(4);
  expect(await command('db', 'status')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"lackingRights": []'),
  });
  expect(await command('db', 'migrate')).toMatchObject({ code: 0, stdout: 'up to date\n' });
  expect(await command('report', 'id-a', '--out', ground.folder.at('a.html'))).toMatchObject({ code: 0 });
}, 120_000);

test('a right that is taken away ends the daemon, is held against no message, and is named at the next start', async () => {
  await using daemon = ground.start(lane, { DATABASE_URL });
  await daemon.logs(/^polling/);
  await ground.database.pool.query('REVOKE INSERT ON "video_worker"."analysis_runs" FROM "video_worker_app"');
  await ground.put('e.mp4');
  await lane.send(backendMessage('id-e', 'e.mp4'));
  expect(await daemon.ended).toBe(EXIT_CODES.SYSTEM_FAILURE);
  expect(daemon.words).toMatch(/permission denied for table analysis_runs/);
  await until(async () => (await lane.depth()).visible === 1);
  expect(await lane.deadLetters()).toEqual([]);
  await using again = ground.start(lane, { DATABASE_URL });
  expect(await again.ended).toBe(EXIT_CODES.PREFLIGHT);
  expect(again.words).toContain('its role lacks INSERT on analysis_runs');
}, 120_000);
