import { cp, readdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Failure } from '../../../src/failure/failure.ts';
import { openDatabase, type Database } from '../../../src/persistence/client.ts';
import { discardUnseenRows } from '../../../src/persistence/discard-rows.ts';
import { failRun, interruptRun } from '../../../src/persistence/end-run.ts';
import { keepAlive } from '../../../src/persistence/keep-alive.ts';
import { migrateDatabase } from '../../../src/persistence/migrate.ts';
import { findUnpictured } from '../../../src/persistence/missing-highlights.ts';
import { findTraces } from '../../../src/persistence/read/message-traces.ts';
import { findVideo, listVideos } from '../../../src/persistence/read/videos.ts';
import { recordRejection } from '../../../src/persistence/record-rejection.ts';
import { registerRequest } from '../../../src/persistence/register-request.ts';
import { saveProgress } from '../../../src/persistence/save-progress.ts';
import { nextLostRun, sweepRuns } from '../../../src/persistence/sweep-runs.ts';
import { temporaryFolder } from '../../harness/temporary-folder.ts';
import { startPostgres, type TestPostgres } from '../../harness/postgres.ts';
import { claimRequest, signal, startedRun } from './databases.ts';
import { planOf, statementsOf, type Statement } from './statements.ts';

const VIDEOS = 20_000;
/** More than any of these lists shows, and far less than there is. */
const MANY_ROWS = 1_000;
let postgres: TestPostgres;
let db: Database;

// Years of work: nearly all of it done, a few videos that wait or are at work, an error for each second video.
const HISTORY = `
  INSERT INTO "videos" ("identity", "external_id", "bucket", "key", "status", "progress", "fencing_token", "attempts", "created_at", "updated_at", "completed_at")
    SELECT encode(sha256(n::text::bytea), 'hex'), 'v-' || n, 'uploads', 'v/' || n || '.mp4',
      CASE WHEN n % 5000 = 0 THEN 'pending' WHEN n % 40 = 0 THEN 'failed' ELSE 'completed' END,
      CASE WHEN n % 40 = 0 THEN 0 ELSE 100 END, 1, 1, now() - n * interval '5 minutes', now() - n * interval '4 minutes',
      CASE WHEN n % 40 = 0 THEN NULL ELSE now() - n * interval '4 minutes' END
    FROM generate_series(1, ${VIDEOS}) n;
  INSERT INTO "analysis_runs" ("video_id", "attempt", "fencing_token", "worker", "pack_name", "pack_fingerprint", "frames_per_second",
      "attributes", "outcome", "started_at", "finished_at", "alive_until", "message_id", "failure_code")
    SELECT "id", 1, 1, 'w', 'demo', 'f', 1, 'per-track', CASE WHEN "status" = 'completed' THEN 'completed' ELSE 'failed' END, "created_at",
      "updated_at", "updated_at", 'm-' || "external_id", CASE WHEN "status" = 'completed' THEN NULL ELSE 'NETWORK' END FROM "videos";
  UPDATE "videos" v SET "result_run_id" = r."id" FROM "analysis_runs" r WHERE r."video_id" = v."id" AND v."status" = 'completed';
  INSERT INTO "video_ids" ("external_id", "video_id", "bucket", "key", "message_id")
    SELECT "external_id", "id", "bucket", "key", 'm-' || "external_id" FROM "videos";
  INSERT INTO "error_events" ("occurred_at", "video_id", "message_id", "code", "class", "reason")
    SELECT "updated_at", "id", 'm-' || "external_id", 'NETWORK', 'temporary', 'x' FROM "videos" WHERE "id"::text < '8';
  INSERT INTO "person_track_rows" ("run_id", "track", "start_seconds", "end_seconds", "observations")
    SELECT "result_run_id", 1, 0, 1, 1 FROM "videos" WHERE "result_run_id" IS NOT NULL;
  INSERT INTO "action_event_rows" ("run_id", "track", "type", "start_seconds", "duration_seconds", "frame_index", "x1", "y1", "x2", "y2",
      "confidence", "text", "highlight_bucket", "highlight_key")
    SELECT "run_id", 1, t, 0, 1, 0, 0, 0, 1, 1, 1, 'x', CASE WHEN t = 'falling' AND "run_id"::text > '000a' THEN 'b' END,
      CASE WHEN t = 'falling' AND "run_id"::text > '000a' THEN 'k' END
    FROM "person_track_rows", unnest(ARRAY['walking', 'standing', 'falling']) t;
`;

beforeAll(async () => {
  postgres = await startPostgres();
  db = await openDatabase({ url: postgres.url, schema: 'video_worker', statementTimeoutMs: 120_000 });
  await migrateDatabase(db, signal());
  const client = await db.pool.connect();
  await client.query(`SET search_path TO "video_worker"; ${HISTORY}`);
  client.release(true);
  await db.pool.query('VACUUM ANALYZE');
}, 180_000);
afterAll(async () => {
  await db.close();
  await postgres.stop();
});

/** No statement passes a whole table, and none sorts one. */
async function expectShort(statements: readonly Statement[]): Promise<void> {
  expect(statements.length).toBeGreaterThan(0);
  for (const statement of statements) {
    const nodes = await planOf(db, statement);
    const long = nodes.filter(
      (node) => node['Node Type'] === 'Seq Scan' || (node.rows + node.removed) * node.loops > MANY_ROWS,
    );
    expect(long.map((node) => ({ node, statement: statement.text }))).toEqual([]);
  }
}

const messages = Array.from({ length: 25 }, (_, n) => ({
  messageId: `m-v-${n * 797}`,
  bucket: 'uploads',
  key: `v/${n * 797}.mp4`,
  videoId: n % 2 === 0 ? `v-${n * 797}` : null,
}));
const limits = { graceSeconds: 60, pendingSeconds: 14 * 86_400, worker: 'w' };
const FAILURE = new Failure('NETWORK', 'x');

test.each<[string, () => Promise<unknown>]>([
  ['the list of videos', () => listVideos(db, {}, signal())],
  ['the list that a person is shown', () => listVideos(db, { limit: 20 }, signal())],
  ['a video by its id', () => findVideo(db, 'v-7777', signal())],
  ['a video that nobody knows', () => findVideo(db, 'nobody', signal())],
  ['a video by a primary key that nobody has', () => findVideo(db, '00000000-0000-4000-8000-000000000000', signal())],
  [
    'what is known of dead letters',
    () =>
      findTraces(
        db,
        messages.map(({ messageId }) => messageId),
        messages,
        signal(),
      ),
  ],
  ['the sweep of runs and of videos', () => sweepRuns(db, limits, signal())],
  ['when the next run would be ended', () => nextLostRun(db, limits, signal())],
  ['the rows that nobody sees', () => discardUnseenRows(db, null, signal())],
  [
    'the images that are missing',
    () => findUnpictured(db, { actions: ['falling', 'theft'], videoIds: null, after: null, limit: 20 }, signal()),
  ],
  [
    'the images that one video is missing, where nearly all miss some',
    async () => {
      const found = await findVideo(db, 'v-7777', signal());
      const videoIds = [found?.videoId ?? ''];
      const query = { actions: ['walking', 'standing'], videoIds, after: null, limit: 20 };
      expect(await findUnpictured(db, query, signal())).toHaveLength(1);
    },
  ],
  [
    'the end of a message without a run',
    () => recordRejection(db, { messageId: 'm-v-17', failure: FAILURE, isFinal: true }, signal()),
  ],
  [
    'the end of a message with an id',
    () => recordRejection(db, { messageId: 'n', failure: FAILURE, isFinal: true, externalId: 'v-18' }, signal()),
  ],
  [
    'the life of a run',
    async () => {
      const object = { bucket: 'uploads', key: 'v/1.mp4', versionId: null, etag: 'e' };
      const request = { externalId: 'new', object, messageId: 'm', isLastReceive: false, worker: 'w' };
      await registerRequest(db, request, signal());
      for (const end of ['failed', 'interrupted']) {
        const run = await startedRun(db, claimRequest({ externalId: 'new', object }));
        await saveProgress(db, run, { percent: 3, stage: 'detection' }, signal());
        await keepAlive(db, run, 60, signal());
        if (end === 'failed') await failRun(db, run, { failure: FAILURE, isFinal: false }, signal());
        else await interruptRun(db, run, signal());
      }
    },
  ],
])('%s is found by an index, in its order', async (_, work) => {
  const statements = await statementsOf(db, work);
  await expectShort(statements);
});

test.each([
  ['videos by age', 'SELECT "id" FROM "videos" WHERE "created_at" < $1 ORDER BY "created_at" LIMIT 500'],
  ['videos by their end', 'SELECT "id" FROM "videos" WHERE "completed_at" < $1 ORDER BY "completed_at" LIMIT 500'],
  ['errors by age', 'SELECT "id" FROM "error_events" WHERE "occurred_at" < $1 ORDER BY "occurred_at" LIMIT 500'],
])('a tidy-up of %s begins with the oldest and passes nothing else', async (_, text) => {
  const query = text.replace(/FROM "/, 'FROM "video_worker"."');
  const plan = await planOf(db, { text: query, values: [new Date(Date.now() - 86_400_000 * 30)] });
  expect(plan.map((node) => node['Node Type'])).toEqual(['Limit', expect.stringMatching(/^Index (Only )?Scan$/)]);
});

test('progress is written beside the indexes: it costs no entry in them', async () => {
  const { rows } = await db.pool.query<{ columns: string }>(
    `SELECT string_agg(DISTINCT a.attname, ' ') AS "columns" FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid
       AND a.attnum = ANY (x.indkey) WHERE x.indrelid = '"video_worker"."videos"'::regclass`,
  );
  for (const column of ['progress', 'stage', 'updated_at']) expect(rows[0]?.columns.split(' ')).not.toContain(column);
});

test.each([
  [
    'that a run has failed',
    'error_events',
    `INSERT INTO "error_events" ("code", "class", "reason") VALUES ('NETWORK', 'temporary', 'x')`,
  ],
  [
    'its findings',
    'action_event_rows',
    `INSERT INTO "action_event_rows" ("run_id", "track", "type", "start_seconds", "duration_seconds", "frame_index", "x1", "y1", "x2", "y2",
       "confidence", "text") SELECT "run_id", 1, 'walking', 0, 1, 0, 0, 0, 1, 1, 1, 'x' FROM "person_track_rows"`,
  ],
])(
  'the indexes are built beside a worker that writes down %s, and neither ends the other',
  async (_, table, insert) => {
    await using folder = await temporaryFolder('beside-workers');
    const here = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));
    await cp(here, folder.path, { recursive: true });
    const names = (await readdir(here)).filter((name) => name >= '20261128030000' && name.startsWith('2'));
    for (const name of names) await rm(folder.at(name), { recursive: true });
    const schema = `beside_${table}`;
    await using other = await openDatabase({ url: postgres.url, schema });
    await migrateDatabase(other, signal(), folder.path);
    await runWithTrack(other);
    const client = await other.pool.connect();
    try {
      await client.query(`SET search_path TO "${schema}"; BEGIN; ${insert}`);
      const migrated = migrateDatabase(other, signal());
      const isAtIt = `SELECT 1 FROM pg_locks WHERE NOT "granted" AND "relation" = '"${schema}"."${table}"'::regclass`;
      while ((await db.pool.query(isAtIt)).rows.length === 0) await sleep(20);
      await client.query(`UPDATE "videos" SET "progress" = 0; COMMIT`);
      expect(await migrated).toEqual(names);
    } finally {
      client.release(true);
    }
  },
);

/** A run under way, with a track. */
async function runWithTrack(other: Database): Promise<void> {
  const run = await startedRun(other, claimRequest());
  await other.pool.query(
    `INSERT INTO "${other.schema}"."person_track_rows" ("run_id", "track", "start_seconds", "end_seconds", "observations") VALUES ($1, 1, 0, 1, 1)`,
    [run.runId],
  );
}

test('what was built before the migration stays, and what a build left broken is built again', async () => {
  await using folder = await temporaryFolder('before-indexes');
  const here = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));
  await cp(here, folder.path, { recursive: true });
  const names = (await readdir(here)).filter((name) => name >= '20261128030000' && name.startsWith('2'));
  for (const name of names) await rm(folder.at(name), { recursive: true });
  await using other = await openDatabase({ url: postgres.url, schema: 'before' });
  await migrateDatabase(other, signal(), folder.path);
  const built = async (): Promise<ReadonlyMap<string, string>> => {
    const { rows } = await other.pool.query<{ name: string; oid: string }>(
      `SELECT c."relname" AS "name", c."oid"::text FROM pg_index i JOIN pg_class c ON c."oid" = i."indexrelid"
       WHERE i."indisvalid" AND c."relnamespace" = 'before'::regnamespace`,
    );
    return new Map(rows.map(({ name, oid }) => [name, oid]));
  };
  await other.pool.query(
    'CREATE INDEX CONCURRENTLY "videos_created_at_id_idx" ON "before"."videos"("created_at" DESC, "id")',
  );
  await other.pool.query('CREATE INDEX CONCURRENTLY "videos_completed_at_idx" ON "before"."videos"("completed_at")');
  await other.pool.query(
    `UPDATE pg_index SET "indisvalid" = false WHERE "indexrelid" = '"before"."videos_completed_at_idx"'::regclass`,
  );
  const before = await built();
  expect(await migrateDatabase(other, signal())).toEqual(names);
  const after = await built();
  expect(after.get('videos_created_at_id_idx')).toBe(before.get('videos_created_at_id_idx'));
  expect([before.has('videos_completed_at_idx'), after.has('videos_completed_at_idx')]).toEqual([false, true]);
});
