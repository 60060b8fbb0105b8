import { cp, mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../../../src/persistence/client.ts';
import { loadAnalysis } from '../../../../src/persistence/read/stored-analysis.ts';
import { migrateDatabase } from '../../../../src/persistence/migrate.ts';
import { temporaryFolder, type TemporaryFolder } from '../../../harness/temporary-folder.ts';
import { signal, type TestDatabases } from '../databases.ts';

const BEFORE = ['20261124000000_init', '20261127000000_scene_cost'];
const NAMES = ['person_tracks', 'observations', 'person_overlaps', 'action_events', 'scenes'];
const COMPLETED = '00000000-0000-0000-0000-000000000001';
const RUNLESS = '00000000-0000-0000-0000-000000000002';
const EMPTY = '00000000-0000-0000-0000-000000000003';
const RUNNING = '00000000-0000-0000-0000-000000000004';

const video = (id: string, status: string, token: number): string =>
  `('${id}', repeat(md5('${id}'), 2), 'backend-${id}', 'uploads', 'k', '${status}', ${status === 'completed' ? 100 : 0}, ${token}, ${token})`;
const run = (id: string, token: number, outcome: string): string =>
  `('${id}', ${token}, ${token}, 'w', 'demo', 'f', 1.5, 'per-track', now(), '${outcome}', ${outcome === 'running' ? 'NULL' : 'now()'}, ${outcome === 'failed' ? `'NETWORK'` : 'NULL'})`;

/** Findings as the version before this migration left them. */
const FINDINGS = `
  INSERT INTO videos (id, identity, external_id, bucket, key, status, progress, fencing_token, attempts) VALUES
    ${video(COMPLETED, 'completed', 2)}, ${video(RUNLESS, 'completed', 1)}, ${video(EMPTY, 'completed', 1)}, ${video(RUNNING, 'processing', 1)};
  INSERT INTO analysis_runs (video_id, attempt, fencing_token, worker, pack_name, pack_fingerprint, frames_per_second,
      attributes, alive_until, outcome, finished_at, failure_code) VALUES
    ${run(COMPLETED, 1, 'failed')}, ${run(COMPLETED, 2, 'completed')}, ${run(EMPTY, 1, 'completed')}, ${run(RUNNING, 1, 'running')};
  INSERT INTO person_tracks (video_id, track, start_seconds, end_seconds, observations) VALUES
    ('${COMPLETED}', 1, 0, 2, 2), ('${COMPLETED}', 2, 0, 1, 1), ('${RUNLESS}', 1, 0, 2, 2);
  INSERT INTO observations (video_id, frame_index, seconds, track, class, x1, y1, x2, y2, score) VALUES
    ('${COMPLETED}', 0, 0, 1, 'person', 1, 2, 3, 4, 0.5), ('${COMPLETED}', 20, 1, NULL, 'face', 1, 2, 3, 4, 0.5),
    ('${RUNLESS}', 0, 0, 1, 'person', 5, 6, 7, 8, 0.9);
  INSERT INTO person_overlaps (video_id, frame_index, seconds, track_a, track_b, iou) VALUES ('${COMPLETED}', 0, 0, 1, 2, 0.3);
  INSERT INTO action_events (video_id, track, type, start_seconds, duration_seconds, frame_index, x1, y1, x2, y2, confidence,
      text, keywords) VALUES ('${COMPLETED}', 2, 'falling', 0, 1, 0, 1, 2, 3, 4, 0.8, 'Person 2: falling', '{falling,"person 2"}');
  INSERT INTO scenes (video_id, seconds, frame_index, text, source) VALUES ('${COMPLETED}', 0, 0, 'A shop.', 'local');`;

/** Every row that a reader of plain SQL gets, with the names of the columns in their order. */
async function read(db: Database): Promise<unknown> {
  const results = await Promise.all(
    NAMES.map(async (name) => {
      const { fields, rows } = await db.pool.query(`SELECT * FROM "${db.schema}"."${name}" ORDER BY 1, 2`);
      return [name, { columns: fields.map((field) => [field.name, field.dataTypeID]), rows }];
    }),
  );
  return Object.fromEntries(results);
}

export function runRowsSuite(databases: TestDatabases): void {
  let old: TemporaryFolder;
  beforeAll(async () => {
    old = await temporaryFolder('migrations');
    for (const name of BEFORE) {
      await mkdir(old.at(name));
      await cp(`prisma/migrations/${name}`, old.at(name), { recursive: true });
    }
  });
  afterAll(() => old.remove());

  let db: Database;
  let before: unknown;
  beforeAll(async () => {
    db = await databases.open({ schema: 'grown' });
    await migrateDatabase(db, signal(), old.path);
    const client = await db.pool.connect();
    await client.query(`BEGIN; SET LOCAL search_path TO "grown"; ${FINDINGS}
      CREATE ROLE "a reader"; GRANT SELECT ON "observations" TO "a reader"; GRANT SELECT ON "scenes" TO PUBLIC; COMMIT`);
    client.release();
    before = await read(db);
    await migrateDatabase(db, signal());
  });

  describe('findings of the version before', () => {
    test('are read as they were: the same names, columns, types and rows', async () => {
      expect(before).toMatchObject({ observations: { rows: [{}, {}, {}] }, scenes: { rows: [{}] } });
      expect(await read(db)).toEqual(before);
    });

    test('belong to the run that completed the video, and to one that is made up where none is left', async () => {
      const videos = await db.prisma.video.findMany({ orderBy: { id: 'asc' }, include: { result: true } });
      expect(videos.map(({ result }) => result && [result.fencingToken, result.outcome, result.worker])).toEqual([
        [2, 'completed', 'w'],
        [1, 'completed', 'unknown'],
        [1, 'completed', 'w'],
        null,
      ]);
      const { analysis } = (await loadAnalysis(db, COMPLETED, signal()))!;
      expect(analysis.tracks).toHaveLength(2);
      // Nobody timed it, and a report of it can still be made.
      expect(analysis.timings).toMatchObject({ totalMs: 0, stages: { detection: { runs: 0 } } });
    });

    test('may be read by whom they might be read', async () => {
      const { rows } = await db.pool.query<{ allowed: boolean[] }>(
        `SELECT ARRAY(SELECT has_table_privilege('a reader', format('grown.%I', name), 'SELECT')
           FROM unnest($1::text[]) WITH ORDINALITY AS n(name, place) ORDER BY place) AS allowed`,
        [NAMES],
      );
      expect(rows[0]?.allowed).toEqual([false, true, false, false, true]);
    });

    test('go with their video', async () => {
      await db.prisma.video.delete({ where: { id: COMPLETED } });
      expect(await db.prisma.observation.count()).toBe(1);
    });
  });
}
