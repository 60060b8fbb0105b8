import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Interruption } from '../../../src/failure/failure.ts';
import { openDatabase, type Database } from '../../../src/persistence/client.ts';
import { migrateDatabase, migrationStatus } from '../../../src/persistence/migrate.ts';
import { completeRun } from '../../../src/persistence/complete-run.ts';
import { keepAlive } from '../../../src/persistence/keep-alive.ts';
import { saveProgress } from '../../../src/persistence/save-progress.ts';
import { findVideo, listVideos } from '../../../src/persistence/read/videos.ts';
import { sampleAnalysis } from '../../harness/analysis-sample.ts';
import { startPostgres, type TestPostgres } from '../../harness/postgres.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { claimRequest, signal, startedRun } from './databases.ts';

let server: TestPostgres;
let db: Database;

beforeAll(async () => {
  server = await startPostgres();
  db = await openDatabase({ url: `${server.url}?schema=ignored`, schema: 'video_worker', poolSize: 2 });
  await migrateDatabase(db, signal());
});
afterAll(async () => {
  await db.close();
  await server[Symbol.asyncDispose]();
});

test('a server that crashed and came back is used again; the run goes on under its token', async () => {
  const run = await startedRun(db, claimRequest());
  await server.restart();
  // Connections of before the crash are found dead one by one; each is a temporary failure, and no more than there were.
  let failures = 0;
  for (;;) {
    try {
      expect(await keepAlive(db, run, 60, signal())).toBe(true);
      break;
    } catch (error) {
      expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE', class: 'temporary' });
      failures += 1;
      expect(failures).toBeLessThanOrEqual(2);
    }
  }
  await completeRun(db, run, sampleAnalysis(), { highlightsBucket: null }, signal());
  expect(await findVideo(db, run.videoId, signal())).toMatchObject({ status: 'completed' });
});

test('a crash in the middle of a migration is temporary, and leaves the migration to be done', async () => {
  await using folder = await temporaryFolder('migrations');
  const directory = folder.path;
  await mkdir(join(directory, '1_slow'));
  await writeFile(join(directory, '1_slow', 'migration.sql'), 'CREATE TABLE "a" ("x" INTEGER); SELECT pg_sleep(60);');
  const client = await openDatabase({ url: server.url, schema: 'crashed' });
  const migrating = migrateDatabase(client, signal(), directory).catch((error: unknown) => error);
  for (;;) {
    const { rows } = await db.pool.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'`);
    if (rows.length > 0) break;
  }
  await server.restart();
  expect(await migrating).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  await writeFile(join(directory, '1_slow', 'migration.sql'), 'CREATE TABLE "a" ("x" INTEGER);');
  expect(await migrateDatabase(client, signal(), directory)).toEqual(['1_slow']);
  await client.close();
});

test('nobody at the address is temporary, with the cause, and without the URL', async () => {
  const absent = await openDatabase({ url: 'postgres://me:secret@127.0.0.1:1/x', schema: 'video_worker' });
  const failure: unknown = await listVideos(absent, {}, signal()).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    message: expect.stringContaining('127.0.0.1') as unknown,
  });
  expect((failure as Error).cause).toBeInstanceOf(Error);
  expect(JSON.stringify(failure) + String(failure)).not.toContain('secret');
  await expect(migrationStatus(absent, signal())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  await absent.close();
});

test('a database that is not there says so', async () => {
  const absent = await openDatabase({ url: server.url.replace(/worker$/, 'nowhere'), schema: 'video_worker' });
  await expect(listVideos(absent, {}, signal())).rejects.toMatchObject({ code: 'DATABASE_NOT_MIGRATED' });
  await expect(migrateDatabase(absent, signal())).rejects.toMatchObject({ code: 'DATABASE_NOT_MIGRATED' });
  await absent.close();
});

test('a server that accepts and then says nothing is given up on', async () => {
  const silent: Server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const url = `postgres://me@127.0.0.1:${port}/x`;
  const stuck = await openDatabase({ url, schema: 'video_worker', connectTimeoutMs: 200, statementTimeoutMs: 200 });
  await expect(listVideos(stuck, {}, signal())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  await expect(migrationStatus(stuck, signal())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  await stuck.close();
  silent.close();
});

test('a connection that goes silent in a transaction is given up on, and the next call gets a new one', async () => {
  const line = await startProxy(server.port);
  const url = server.url.replace(String(server.port), String(line.port));
  const remote = await openDatabase({ url, schema: 'video_worker', poolSize: 1, statementTimeoutMs: 1_000 });
  const request = claimRequest();
  const run = await startedRun(remote, request);
  line.cutSilently();
  await expect(completeRun(remote, run, sampleAnalysis(), { highlightsBucket: null }, signal())).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
  });
  await completeRun(remote, run, sampleAnalysis(), { highlightsBucket: null }, signal());
  expect(await findVideo(db, run.videoId, signal())).toMatchObject({ status: 'completed' });
  await remote.close();
  await line.close();
});

test('a call that waits for a lock ends at the statement limit and frees its connection', async () => {
  const hasty = await openDatabase({ url: server.url, schema: 'video_worker', poolSize: 1, statementTimeoutMs: 1_000 });
  const run = await startedRun(db, claimRequest());
  const blocker = await db.pool.connect();
  await blocker.query('BEGIN');
  await blocker.query('SELECT 1 FROM "video_worker"."videos" WHERE "id" = $1 FOR UPDATE', [run.videoId]);
  await expect(saveProgress(hasty, run, { percent: 1, stage: 'x' }, signal())).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
  });
  await blocker.query('COMMIT');
  blocker.release();
  expect(await saveProgress(hasty, run, { percent: 1, stage: 'x' }, signal())).toBe(true);
  await hasty.close();
});

test('an interruption ends a waiting call at once and comes out as it is', async () => {
  const run = await startedRun(db, claimRequest());
  const blocker = await db.pool.connect();
  await blocker.query('BEGIN');
  await blocker.query('SELECT 1 FROM "video_worker"."videos" WHERE "id" = $1 FOR UPDATE', [run.videoId]);
  const drain = new AbortController();
  const call = saveProgress(db, run, { percent: 1, stage: 'x' }, drain.signal);
  const reason = new Interruption('shutdown', 'the worker drains');
  drain.abort(reason);
  await expect(call).rejects.toBe(reason);
  await blocker.query('ROLLBACK');
  blocker.release();
});

test('a caller whose own time limit is over gets a temporary failure', async () => {
  const timedOut = AbortSignal.abort(new DOMException('signal timed out', 'TimeoutError'));
  await expect(listVideos(db, {}, timedOut)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
});

test.each([
  ['mysql://localhost/x', 'video_worker'],
  ['not a url', 'video_worker'],
  ['pglite:', 'video_worker'],
  ['postgres://localhost/x', 'Video"; DROP'],
  ['postgres://localhost/x', 'pg_mine'],
])('%s with schema %s is a configuration error', async (url, schema) => {
  await expect(openDatabase({ url, schema })).rejects.toMatchObject({ code: 'CONFIG_INVALID', class: 'system' });
});

/** Forwards connections to a port; `cutSilently` makes those that are open swallow every byte, as a dead link does. */
async function startProxy(
  target: number,
): Promise<{ readonly port: number; cutSilently(): void; close(): Promise<void> }> {
  const sockets: Socket[] = [];
  const proxy = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    sockets.push(client, upstream);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as { port: number }).port,
    cutSilently: () => {
      for (const socket of sockets) socket.unpipe().resume();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
