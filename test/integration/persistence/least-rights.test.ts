import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { databaseCheck } from '../../../src/cli/preflight/service-checks.ts';
import { Failure } from '../../../src/failure/failure.ts';
import { claimRun } from '../../../src/persistence/claim-run.ts';
import { openDatabase, type Database } from '../../../src/persistence/client.ts';
import { completeRun } from '../../../src/persistence/complete-run.ts';
import { discardRows, discardUnseenRows } from '../../../src/persistence/discard-rows.ts';
import { failRun, interruptRun } from '../../../src/persistence/end-run.ts';
import { keepAlive } from '../../../src/persistence/keep-alive.ts';
import { migrateDatabase, migrationStatus, readiness } from '../../../src/persistence/migrate.ts';
import { findUnpictured, nameHighlight } from '../../../src/persistence/missing-highlights.ts';
import { findTraces } from '../../../src/persistence/read/message-traces.ts';
import { loadAnalysis } from '../../../src/persistence/read/stored-analysis.ts';
import { findVideo, listVideos } from '../../../src/persistence/read/videos.ts';
import { recordRejection } from '../../../src/persistence/record-rejection.ts';
import { registerRequest } from '../../../src/persistence/register-request.ts';
import { WORKER_RIGHTS, type Right } from '../../../src/persistence/rights.ts';
import { saveProgress } from '../../../src/persistence/save-progress.ts';
import { nextLostRun, sweepRuns } from '../../../src/persistence/sweep-runs.ts';
import { sampleAnalysis, sampleEvent } from '../../harness/analysis-sample.ts';
import { startPostgres, type TestPostgres } from '../../harness/postgres.ts';
import { claimRequest, signal, startedRun } from './databases.ts';

const SCRIPT = fileURLToPath(new URL('../../../prisma/roles/worker.sql', import.meta.url));
const SCHEMA = 'findings';
const FAILURE = new Failure('NETWORK', 'x');
let postgres: TestPostgres;
/** May everything, as who set the server up. */
let admin: Database;
/** Owns the schema, and is no superuser. */
let owner: Database;
let worker: Database;
let reader: Database;

const urlOf = (role: string): string => postgres.url.replace('worker@', `${role}@`);

async function grant(
  role: string,
  others: { readonly worker?: string; readonly reader?: string } = {},
): Promise<string> {
  const names = { schema: SCHEMA, worker: 'app', reader: 'looks', ...others };
  const set = Object.entries(names).flatMap(([name, value]) => ['-v', `${name}=${value}`]);
  const { stderr } = await promisify(execFile)('psql', [urlOf(role), '-X', '-q', ...set, '-f', SCRIPT]);
  return stderr;
}

beforeAll(async () => {
  postgres = await startPostgres();
  const open = (role: string): Promise<Database> => openDatabase({ url: urlOf(role), schema: SCHEMA, poolSize: 2 });
  [admin, owner, worker, reader] = await Promise.all([open('worker'), open('owns'), open('app'), open('looks')]);
  await admin.pool.query('CREATE ROLE "owns" LOGIN CREATEROLE; GRANT CREATE ON DATABASE "worker" TO "owns"');
  await migrateDatabase(owner, signal());
  await grant('owns');
}, 60_000);
afterAll(async () => {
  await Promise.all([admin, owner, worker, reader].map((db) => db.close()));
  await postgres.stop();
});

const ANALYSIS = sampleAnalysis({
  events: [sampleEvent({ highlight: null })],
  frames: sampleAnalysis().frames.map((frame) => ({ ...frame, overlaps: [{ a: 1, b: 1, iou: 0.5 }] })),
});

let flows = 0;

/** All that a worker and the operator's commands do to the database. */
async function work(db: Database): Promise<void> {
  flows += 1;
  const id = `backend-${flows}`;
  const limits = { graceSeconds: 0, pendingSeconds: 14 * 86_400, worker: 'w' };
  await readiness(db, signal());
  // Two messages with their ids about one object: what waits under the second id becomes the video of the first.
  const first = claimRequest({ externalId: `${id}-a` });
  const message = {
    messageId: `m-${flows}`,
    object: first.object,
    receiveCount: 1,
    isLastReceive: false,
    leaseSeconds: 0,
  };
  const named = { object: first.object, messageId: message.messageId, isLastReceive: false, worker: 'w' };
  for (const externalId of [`${id}-a`, `${id}-b`]) await registerRequest(db, { ...named, externalId }, signal());
  await recordRejection(
    db,
    { ...message, failure: FAILURE, isFinal: false, job: first.object, externalId: `${id}-b` },
    signal(),
  );
  const run = await startedRun(db, { ...first, message });
  await claimRun(db, { ...first, externalId: `${id}-b`, message }, signal());
  await saveProgress(db, run, { percent: 3, stage: 'detection' }, signal());
  await keepAlive(db, run, 60, signal());
  await completeRun(db, run, ANALYSIS, { highlightsBucket: 'b' }, signal());
  const [unpictured] = await findUnpictured(
    db,
    { actions: ['grabbing'], videoIds: [run.videoId], after: null, limit: 1 },
    signal(),
  );
  const event = { runId: run.runId, eventId: unpictured?.events[0]?.eventId ?? 0n };
  expect(await nameHighlight(db, event, { bucket: 'b', key: `k-${flows}` }, signal())).toBe(true);
  expect((await loadAnalysis(db, run.videoId, signal()))?.highlightsBucket).toBe('b');
  expect(await findVideo(db, `${id}-b`, signal())).toMatchObject({ videoId: run.videoId, status: 'completed' });
  await listVideos(db, {}, signal());
  await findTraces(db, [message.messageId], [{ ...first.object, videoId: id }], signal());
  // What ends otherwise, with rows that nobody sees.
  const other = await startedRun(db, claimRequest());
  const stop = (): Promise<never> => Promise.reject(FAILURE);
  await completeRun(db, other, ANALYSIS, { highlightsBucket: null, beforeSwitch: stop }, signal()).catch(
    (error: unknown) => {
      if (error !== FAILURE) throw error;
    },
  );
  await failRun(db, other, { failure: FAILURE, isFinal: true }, signal());
  expect(await discardRows(db, other.runId, signal())).toBeGreaterThan(5);
  await discardUnseenRows(db, null, signal());
  await interruptRun(db, await startedRun(db, claimRequest()), signal());
  await startedRun(db, claimRequest({ aliveSeconds: -1, message: { ...message, messageId: `l-${flows}` } }));
  await nextLostRun(db, limits, signal());
  expect((await sweepRuns(db, limits, signal())).runs).toBeGreaterThan(0);
}

test('a worker does all of its work with the rights of the script, and lacks none', async () => {
  await work(worker);
  expect(await readiness(worker, signal())).toMatchObject({ pending: [], problems: [], lackingRights: [] });
  const unheard = { graceSeconds: 0, pendingSeconds: 0, worker: 'w' };
  await registerRequest(
    worker,
    { externalId: 'gone', object: null, messageId: null, isLastReceive: false, worker: null },
    signal(),
  );
  expect((await sweepRuns(worker, unheard, signal())).videos).toBeGreaterThan(0);
});

/** What the catalogue says that a role has been granted in the schema, in the words of the list. */
async function granted(role: string): Promise<readonly string[]> {
  const { rows } = await admin.pool.query<{ text: string }>(
    `SELECT a."privilege_type" || ' on ' || c."relname" AS "text" FROM pg_class c, LATERAL aclexplode(c."relacl") a
       WHERE c."relnamespace" = $1::regnamespace AND a."grantee" = $2::regrole
     UNION ALL SELECT a."privilege_type" || ' on ' || c."relname" || ' (' || t."attname" || ')'
       FROM pg_class c JOIN pg_attribute t ON t."attrelid" = c."oid", LATERAL aclexplode(t."attacl") a
       WHERE c."relnamespace" = $1::regnamespace AND a."grantee" = $2::regrole
     UNION ALL SELECT a."privilege_type" || ' on the schema' FROM pg_namespace n, LATERAL aclexplode(n."nspacl") a
       WHERE n."oid" = $1::regnamespace AND a."grantee" = $2::regrole`,
    [SCHEMA, role],
  );
  return rows.map(({ text }) => text).sort();
}

const textOf = ({ privilege, name, column }: Right): string =>
  `${privilege} on ${name}${column === undefined ? '' : ` (${column})`}`;

test('the script grants what the worker checks, and nothing else; again it changes nothing', async () => {
  const expected = [...WORKER_RIGHTS.map(textOf), 'USAGE on the schema'].sort();
  expect(await granted('app')).toEqual(expected);
  await admin.pool.query(
    `GRANT TRUNCATE, TRIGGER ON ALL TABLES IN SCHEMA "${SCHEMA}" TO "app"; GRANT CREATE ON SCHEMA "${SCHEMA}" TO "app"`,
  );
  expect(await grant('owns')).toBe('');
  expect(await granted('app')).toEqual(expected);
});

describe('each right is needed: without it the work ends with a fault of the system, and the check names it', () => {
  test.each(WORKER_RIGHTS.map((right) => [textOf(right), right] as const))('%s', async (text, right) => {
    const object = `${right.kind === 'sequence' ? 'SEQUENCE' : 'TABLE'} "${SCHEMA}"."${right.name}"`;
    const privilege = right.column === undefined ? right.privilege : `${right.privilege} ("${right.column}")`;
    await owner.pool.query(`REVOKE ${privilege} ON ${object} FROM "app"`);
    try {
      const error: unknown = await work(worker).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'CREDENTIALS', class: 'system' });
      expect((error as Failure).message).toMatch(/permission denied for (table|sequence) .*grants/);
      if (right.name === '_prisma_migrations') return;
      expect((await readiness(worker, signal())).lackingRights).toEqual([text]);
    } finally {
      await owner.pool.query(`GRANT ${privilege} ON ${object} TO "app"`);
    }
  });
});

test('the check before the start says which right is missing, and what to do', async () => {
  const check = databaseCheck(false, { migrationStatus: (limit: AbortSignal) => readiness(worker, limit) } as never);
  expect(await check.run(signal())).toMatchObject({ status: 'ok' });
  await owner.pool.query(`REVOKE UPDATE ON "${SCHEMA}"."videos" FROM "app"`);
  expect(await check.run(signal())).toMatchObject({
    status: 'fail',
    detail: 'its role lacks UPDATE on videos',
    fix: expect.stringContaining('prisma/roles/worker.sql'),
  });
  await grant('owns');
});

test.each([
  'CREATE TABLE "stray" ("x" INTEGER)',
  'CREATE TABLE "public"."stray" ("x" INTEGER)',
  'CREATE SCHEMA "stray"',
  'CREATE INDEX ON "videos" ("stage")',
  'ALTER TABLE "videos" ADD COLUMN "x" INTEGER',
  'ALTER TABLE "videos" DISABLE TRIGGER ALL',
  'DROP TABLE "scene_rows"',
  'DROP VIEW "scenes"',
  'TRUNCATE "error_events"',
  'DELETE FROM "error_events"',
  `UPDATE "error_events" SET "reason" = 'other'`,
  `UPDATE "observation_rows" SET "age" = 3`,
  'DELETE FROM "analysis_runs"',
  'DELETE FROM "_prisma_migrations"',
  'CREATE ROLE "stray"',
])('neither role may: %s', async (statement) => {
  for (const db of [worker, reader]) {
    const client = await db.pool.connect();
    try {
      await client.query(`SET search_path TO "${SCHEMA}"`);
      await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
    } finally {
      client.release(true);
    }
  }
});

test('the role that reads sees what counts, and nothing of what is not shown', async () => {
  const names = ['videos', 'video_ids', 'analysis_runs', 'error_events'];
  const views = ['person_tracks', 'observations', 'person_overlaps', 'action_events', 'scenes'];
  for (const name of [...names, ...views]) {
    const { rows } = await reader.pool.query<{ n: number }>(`SELECT count(*)::int AS "n" FROM "${SCHEMA}"."${name}"`);
    expect([name, (rows[0]?.n ?? 0) > 0]).toEqual([name, true]);
  }
  // By its own path, as it was made.
  await reader.pool.query('SELECT 1 FROM "action_events" LIMIT 1');
  expect(await granted('looks')).toEqual(
    [...[...names, ...views].map((name) => `SELECT on ${name}`), 'USAGE on the schema'].sort(),
  );
  for (const name of ['person_track_rows', 'observation_rows', '_prisma_migrations']) {
    await expect(reader.pool.query(`SELECT 1 FROM "${SCHEMA}"."${name}"`)).rejects.toMatchObject({ code: '42501' });
  }
});

test('a role that may not migrate is no hindrance where nothing is to be done, and says who may where there is', async () => {
  expect(await migrateDatabase(worker, signal())).toEqual([]);
  const last = (await migrationStatus(worker, signal())).applied.at(-1) ?? '';
  await owner.pool.query(`DELETE FROM "${SCHEMA}"."_prisma_migrations" WHERE "migration_name" = $1`, [last]);
  await expect(migrateDatabase(worker, signal())).rejects.toMatchObject({
    code: 'DATABASE_NOT_MIGRATED',
    class: 'system',
    message: expect.stringMatching(new RegExp(`may not migrate.*${last}.*owner`)),
  });
  expect(await migrateDatabase(owner, signal())).toEqual([last]);
  await owner.pool.query(
    `INSERT INTO "${SCHEMA}"."_prisma_migrations" ("id", "checksum", "migration_name", "finished_at") VALUES ('x', 'x', '29990101000000_later', now())`,
  );
  const newer = { code: 'DATABASE_NOT_MIGRATED', message: expect.stringContaining('newer than this worker') };
  await expect(migrateDatabase(worker, signal())).rejects.toMatchObject(newer);
  expect((await readiness(worker, signal())).problems).toEqual([expect.stringContaining('newer than this worker')]);
  await owner.pool.query(`DELETE FROM "${SCHEMA}"."_prisma_migrations" WHERE "id" = 'x'`);
});

test('the rights are given where nobody has a schema public', async () => {
  await admin.pool.query('ALTER SCHEMA "public" RENAME TO "elsewhere"');
  try {
    expect(await grant('owns')).toBe('');
  } finally {
    await admin.pool.query('ALTER SCHEMA "elsewhere" RENAME TO "public"');
  }
});

test('a role that works by other grants than those of the script lacks nothing', async () => {
  await admin.pool.query('CREATE ROLE "broad" LOGIN; GRANT pg_read_all_data, pg_write_all_data TO "broad"');
  await using broad = await openDatabase({ url: urlOf('broad'), schema: SCHEMA, poolSize: 2 });
  await work(broad);
  expect(await readiness(broad, signal())).toMatchObject({ pending: [], problems: [], lackingRights: [] });
});

test.each(['worker', 'reader'])('who owns the schema keeps all rights, though named as the %s', async (name) => {
  await expect(grant('owns', { [name]: 'owns' })).rejects.toThrow(/the role owns owns the schema findings/);
  const { rows } = await owner.pool.query<{ may: boolean }>(
    `SELECT has_schema_privilege('${SCHEMA}', 'CREATE') AND has_table_privilege('"${SCHEMA}"."scene_rows"', 'UPDATE') AS "may"`,
  );
  expect(rows).toEqual([{ may: true }]);
});

test('who does not own the schema is told that nothing was granted', async () => {
  await admin.pool.query('CREATE ROLE "stranger" LOGIN CREATEROLE');
  await expect(grant('stranger')).rejects.toThrow(/as the owner of the schema|permission denied/);
});
